//! Every report in one snapshot, so that a change of words is seen as such.
