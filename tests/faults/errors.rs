//! The errors that each call to the file system can give, after its manual page; those of network and full disks first.

/// The names of a call's errors.
pub fn of(call: &str) -> &'static [&'static str] {
    match call {
        "openat" => &["ENOSPC", "EIO", "EACCES", "EROFS", "EDQUOT", "EMFILE", "ENOENT", "EINTR", "ELOOP", "ESTALE"],
        "read" | "getdents64" => &["EIO", "EINTR", "ESTALE"],
        "write" => &["ENOSPC", "EIO", "EDQUOT", "EFBIG", "EINTR", "ESTALE"],
        "fsync" => &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINVAL", "EINTR"],
        "rename" | "renameat2" => &[
            "ENOSPC", "EIO", "EROFS", "EACCES", "EPERM", "EDQUOT", "EINVAL", "ENOSYS", "ENOENT", "EXDEV", "EBUSY",
            "EEXIST",
        ],
        "unlink" => &["EIO", "EACCES", "EROFS", "EBUSY", "ENOENT", "EPERM"],
        "mkdir" => &["ENOSPC", "EIO", "EROFS", "EACCES", "EEXIST", "EDQUOT", "EMLINK"],
        "flock" => &["ENOLCK", "EINTR", "EIO", "EOPNOTSUPP"],
        "statx" | "newfstatat" | "fstat" => &["EIO", "EACCES", "ENOENT", "ENOMEM"],
        "readlink" => &["EIO", "EACCES", "ENOENT"],
        "fchmod" | "chmod" | "fchown" => &["EPERM", "EIO", "EROFS"],
        "ftruncate" | "lseek" => &["EIO", "EINVAL"],
        "close" => &["EIO", "ENOSPC", "EDQUOT"],
        _ => &[],
    }
}

/// Every call that is listened to.
pub const CALLS: &str = "openat,read,getdents64,write,fsync,rename,renameat2,unlink,mkdir,flock,statx,newfstatat,fstat,readlink,\
                         fchmod,chmod,fchown,ftruncate,lseek,close,link,pwrite64,fdatasync";
