//! The threads that effects are carried out on, and what they know of the surroundings.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::backup::Memory;
use super::clipboard::Picture;
use super::lanes::{Lane, spawn};
use super::watch::{Changed, Since, Watch};
use super::{Incoming, Panel, access, backup, export, locale, perform, rekey, rules};
use crate::app::event::{Effect, Event};
use crate::config::Config;
use crate::paths::Paths;
use crate::policy::Policy;
use crate::unlock;
use crate::vault::file::Place;

/// The threads that effects run on.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) config: Arc<Config>,
    pub(super) config_file: PathBuf,
    pub(super) disk: Lane,
    /// The one thread that the backup's calls to a keychain are made on.
    pub(super) backups: Lane,
    pub(super) policy: Arc<Policy>,
    memory: Memory,
    pub(super) send: Sender<Incoming>,
}

impl World {
    pub(super) fn new(panel: &Panel, send: Sender<Incoming>) -> Self {
        let told = send.clone();
        Self {
            place: Place::new(&panel.paths.vault_file, &panel.paths.state_dir),
            config: Arc::new(panel.config.clone()),
            config_file: panel.paths.config_file.clone(),
            disk: Lane::start("disk"),
            backups: Lane::start("backup"),
            policy: Arc::new(panel.policy.in_force()),
            memory: Memory::new(move || told.send(Incoming::Event(Box::new(Event::BackupChanged))).is_ok()),
            send,
        }
    }

    /// Watches the vault, copies of it, the config and the policy, and tells what changed since they were read.
    pub(super) fn watch(&self, since: Since, paths: &Paths) -> Option<Watch> {
        let (config, profile) = (paths.config_file.clone(), paths.profile.clone());
        let settings = move || Config::load_for(&config, profile.as_deref()).map(locale::fitted);
        let send = self.send.clone();
        let say = move |event: Event| send.send(Incoming::Event(Box::new(event))).is_ok();
        #[cfg(windows)]
        rules::look_for_changes({
            let (say, settings) = (say.clone(), settings.clone());
            move || say(rules::again(settings().ok()))
        });
        let tell = move |changed: Changed| {
            say(match changed {
                Changed::Vault | Changed::Copy(_) => Event::VaultChanged,
                Changed::Config => Event::Config(settings().map(Box::new)),
                Changed::Policy => rules::again(settings().ok()),
            });
        };
        Watch::start(since, tell).inspect_err(|error| tracing::error!(%error, "no watch")).ok()
    }

    /// Looks for QR codes in a picture of the clipboard.
    pub(super) fn read_picture(&self, picture: Picture) {
        let send = self.send.clone();
        spawn("picture", move || drop(send.send(Incoming::Event(Box::new(perform::picture(picture))))));
    }

    /// Hands an effect to the thread that carries it out.
    pub(super) fn perform_in_background(&self, effect: Effect) {
        let (place, send) = (self.place.clone(), self.send.clone());
        let answer = move |event: Event| drop(send.send(Incoming::Event(Box::new(event))));
        // What is done with the file tells on the way whether it may be written.
        let of_file = {
            let (place, answer) = (place.clone(), answer.clone());
            move |event: Event| {
                answer(Event::ReadOnly(place.is_read_only()));
                answer(event);
            }
        };
        match effect {
            Effect::Look => self.disk.run(move || answer(perform::look(&place))),
            Effect::Reread(generation, vault) => {
                self.disk.run(move || of_file(perform::reread(&place, generation, &vault)));
            }
            Effect::Save(generation, vault, saving) => {
                self.disk.run(move || of_file(perform::save(&place, generation, vault, saving)));
            }
            Effect::Create(mode, password) => {
                let config = Arc::clone(&self.config);
                spawn("create", move || answer(perform::create(&place, &config, mode, password)));
            }
            Effect::Unlock(attempt, locked, with) => {
                let (config, policy) = (Arc::clone(&self.config), Arc::clone(&self.policy));
                spawn("unlock", move || {
                    let tried = perform::unlock(&place, attempt, &locked, with);
                    if let Event::Unlocked(_, Ok(vault)) = &tried {
                        answer(Event::BackupStood(attempt, backup::stood(&place, &config, &policy, vault)));
                    }
                    of_file(tried);
                });
            }
            Effect::Recreate(generation, vault) => {
                self.disk.run(move || answer(perform::recreate(&place, generation, vault)));
            }
            Effect::KeepAside(generation, vault) => {
                self.disk.run(move || answer(perform::keep_aside(&place, generation, &vault)));
            }
            Effect::History(generation, vault) => {
                spawn("history", move || answer(perform::history(&place, generation, &vault)));
            }
            Effect::ReadCopy(generation, path, vault) => {
                self.disk.run(move || answer(perform::read_copy(&place, generation, &path, &vault)));
            }
            Effect::KeepKey(vault, dek, time) => {
                perform::keep_key(vault, &dek, time).into_iter().for_each(answer);
            }
            Effect::ForgetKey(vault) => unlock::forget(vault),
            Effect::Backup(generation, vault, task) => {
                let (config, policy) = (Arc::clone(&self.config), Arc::clone(&self.policy));
                let world = backup::Surroundings { place, config, policy, memory: self.memory.clone() };
                self.backups.run(move || answer(backup::task(&world, generation, vault, task)));
            }
            Effect::FindBackups { attempt, folder, key, may_prompt } => {
                let policy = Arc::clone(&self.policy);
                spawn("look", move || answer(backup::find(&policy, attempt, folder, key.as_ref(), may_prompt)));
            }
            Effect::MakeAgain(offer, folder) => {
                spawn("restore", move || answer(backup::make_again(&place, &offer, folder)));
            }
            Effect::Access(generation, vault, job) => {
                spawn("access", move || answer(access::carried_out(&place, generation, vault, job)));
            }
            Effect::MakeKey { generation, attempt, vault, password } => {
                let target_ms = self.config.kdf.target_ms;
                spawn("keys", move || answer(rekey::made(generation, attempt, &vault, &password, target_ms)));
            }
            // In the order of saves: what is saved behind it is sealed under the new key.
            Effect::PutInForce(generation, vault, made) => {
                self.disk.run(move || answer(rekey::in_force(&place, generation, vault, made)));
            }
            Effect::MakeRecoveryKey(generation, vault) => {
                spawn("recovery", move || answer(rekey::recovery_key(generation, &vault)));
            }
            Effect::PutRecoveryKey(generation, vault, key) => {
                self.disk.run(move || answer(rekey::put_recovery_key(&place, generation, vault, key)));
            }
            Effect::SetPassword(generation, vault, password) => {
                let target_ms = self.config.kdf.target_ms;
                self.disk.run(move || answer(access::password(&place, generation, vault, &password, target_ms)));
            }
            Effect::RecoveryKeyWritten(slot) => {
                self.disk.run(move || perform::note_recovery_key(&place, slot, true));
            }
            Effect::Probe => spawn("probe", move || answer(perform::probe())),
            Effect::Import(attempt, origin, password) => {
                spawn("import", move || answer(perform::import(attempt, &origin, password.as_ref())));
            }
            Effect::Export(generation, job) => {
                spawn("export", move || answer(Event::Exported(generation, export::write(&job))));
            }
            Effect::Recent => spawn("recent", move || answer(perform::recent())),
            Effect::Complete(attempt, typed) => {
                spawn("complete", move || answer(perform::complete(attempt, &typed)));
            }
            Effect::Remember(vault, habit, at) => {
                self.disk.run(move || perform::remember(&place, vault, habit, at));
            }
            Effect::Demo
            | Effect::Copy(..)
            | Effect::ClearClipboard
            | Effect::ReadClipboard
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Mouse(_)
            | Effect::Quit => {
                unreachable!("the loop does these itself")
            }
        }
    }
}
