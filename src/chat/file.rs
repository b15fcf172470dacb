//! Archives as files: sent into the chat, and taken from it.

use teloxide::types::ChatId;

use super::branch::Sent;
use super::{Chat, Parts, Work, message, warn};
use crate::backup::BackupId;

/// The longest file that Telegram takes from a bot.
const LARGEST_FILE: u64 = 50_000_000;

/// The longest file that Telegram gives to a bot.
const LARGEST_SENT: u32 = 20 << 20;

impl Chat {
    /// Sends an archive into the chat.
    pub(super) async fn download(&self, chat: ChatId, id: BackupId) {
        let Some(_running) = self.begin(Work::Download(chat, id.clone())) else { return };
        let Parts { service, text, .. } = &*self.parts;
        let path = service.path(&id);
        let trouble = match service.read(id.clone(), LARGEST_FILE).await {
            Ok(Some(bytes)) => {
                // it cannot come back the same way
                let one_way = bytes.len() > LARGEST_SENT as usize;
                let note =
                    one_way.then(|| message::download_one_way(text, &service.storage_name()));
                if self.delivery.upload(chat, id.to_string(), bytes, note).await {
                    return;
                }
                message::download_refused(text, &path)
            }
            Ok(None) => message::download_too_large(text, &path),
            Err(error) => {
                warn("download", &error);
                message::download_failed(text, &error)
            }
        };
        self.delivery.send(chat, &trouble).await;
    }

    /// Takes in an archive that was sent, and asks whether to restore it.
    pub(super) async fn receive(&self, sent: Sent) {
        let Parts { service, text, .. } = &*self.parts;
        let Sent { admin, chat, file, bytes } = sent;
        if bytes > LARGEST_SENT {
            let too_large = message::receive_too_large(text, &service.storage_name());
            self.delivery.send(chat, &too_large).await;
            return;
        }
        let started = self.delivery.announce(chat, &message::receive_started(text)).await;
        let alone = self.receiving.lock().await;
        let answer = match self.delivery.fetch(file, LARGEST_SENT as usize).await {
            None => message::receive_refused(text),
            Some(archive) => match service.receive(archive).await {
                Ok(id) => {
                    message::received(text, &id, self.question(admin, chat, id.clone()).await)
                }
                Err(error) => {
                    warn("receive", &error);
                    message::receive_failed(text, &error)
                }
            },
        };
        drop(alone);
        self.replace(chat, started, &answer).await;
    }
}
