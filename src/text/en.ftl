### The plugin's texts in English. The program puts the values in braces in.
### Markup: Telegram's HTML. The texts of buttons and of toasts have none.

## Making a backup

backup-started = ⏳ Making a backup…
backup-done = ✅ Backup made:
    <code>{ $path }</code>
backup-failed = ❌ No backup was made.

    { $reason }
backup-cut-off = ⚠️ The backup begun at { $since } was cut off half-way: the bot, or the command that made it, crashed or was stopped. It has changed neither the data nor the earlier backups, and the unfinished one is not in the list.

    To make a backup now: /backup. If this comes again, look at the log of the server.
cleanup-failed = ⚠️ Old backups could not be removed; the new one is fine.

    { $reason }

## Schedule

scheduled-done = ✅ Scheduled backup made:
    <code>{ $path }</code>

    Size: { $size }
    Records: { $records }
scheduled-unchanged = ✅ Scheduled backup: no changes. The data are those of the last backup. It is checked, and all is there:
    <code>{ $path }</code>

    Created: { $created }
    Size: { $size }
    Records: { $records }
scheduled-recovered = ✅ Scheduled backups work again.
scheduled-failed = ❌ The scheduled backup was not made.

    { $reason }

    I will keep trying, and tell you when it works.
scheduled-still-failing = ❌ Scheduled backups have been failing since { $since }, and there has been no new backup since then.

    { $reason }

    I keep trying, and will tell you when it works.
scheduled-stuck = ⚠️ Scheduled backups have come to a stop: their next step has not ended within an hour. The bot's data, or the place of the backups, do not answer or are very slow.

    Should the backup succeed after all, I will tell you. If it does not, restart the bot and look into its log.
standing-by = 👥 The bot is running twice. The other copy makes the scheduled backups; this one waits, and takes over if that one stops.

    If you meant it so, there is nothing to do. If not, stop the copy that is too many.

## List

list-title = 📂 Backups:
list-entry = { $number }. { $name }
    {"   "}Size: { $size }
    {"   "}Created: { $created }
    {"   "}Records: { $records }
list-entry-safety = {"   "}🛟 Saved before a restore
list-entry-unchanged = {"   "}✅ No changes until { $until }, checked
list-entry-foreign = {"   "}🤖 Made by another bot
list-entry-damaged = { $number }. { $name }
    {"   "}Size: { $size }
    {"   "}⚠️ { $state }
state-damaged = Damaged: it cannot be restored
state-too-large = Over a limit: it cannot be restored
state-unknown-version = Made by version “{ $version }”, which this program does not know
state-unreadable = Cannot be read
list-page = Page { $page } of { $pages }
list-empty = 📂 There are no backups yet.

    Make the first one: /backup
    Restore from a file: /backup_restore
list-failed = ❌ The list of backups could not be read.

    { $reason }
button-backup = 🔄 { $number }. { $created }
button-damaged = ⚠️ { $number }. { $created }
button-previous = ◀️
button-next = ▶️

## Restore

inspect-started = ⏳ Checking { $name }…
inspect-failed = ❌ { $name } cannot be restored. The bot's data are as they were.

    { $reason }
confirm = 🔄 Restore the data from this backup?

    <b>{ $name }</b>
    Size: { $size }
    Created: { $created }

    In the backup: { $archived }
confirm-live = In the bot now: { $live }
confirm-unreadable = ⚠️ The data in the bot now could not be read, so I cannot save them first. This restore cannot be undone.

    <code>{ $detail }</code>
confirm-unknown = The backup holds something that this version of the bot does not know; I will pass it over: { $records }
confirm-untouched = This backup lacks some of the data; they stay as they are: { $records }
confirm-renamed = The backup has no such sections: { $records }. One that had another name before will be replaced; a new one stays as it is.
confirm-again = ❓ Restore for sure?

    <b>{ $name }</b>
confirm-fewer = ⚠️ There will be far fewer records: { $live } now, { $archived } in the backup.
confirm-fewer-perhaps = ⚠️ There may be far fewer records: { $live } now, { $archived } in the backup.
confirm-foreign = ⚠️ Another bot made this backup.
confirm-promise = I save the present data first, so the restore can be undone.
confirm-expiry = The buttons work for 2 minutes.
button-yes = ✅ Yes, restore
button-no = ❌ Cancel
button-download = 📥 Download the archive
download-refused = ❌ Telegram did not take the archive now. Try again; on the server it lies here:
    <code>{ $path }</code>
download-one-way = Larger than 20 MB: Telegram gives such a file to no bot. To restore from it, put it under this name into the folder of the backups on the server: { $folder }
download-too-large = The archive is larger than 50 MB, which Telegram takes from no bot. On the server it lies here:
    <code>{ $path }</code>
download-failed = ❌ The archive could not be sent.

    { $reason }
receive-help = 📎 To restore data from a file, send it here with the caption /backup_restore

    Telegram gives bots files of up to 20 MB. Put a larger archive into the folder of the backups on the server, under the name it was made with, and the list shows it: { $folder }
receive-started = ⏳ Checking the archive you sent…
receive-too-large = ❌ The file is larger than 20 MB, and Telegram gives no such file to a bot. Put it into the folder of the backups on the server, under the name it was made with, and the list shows it: { $folder }
receive-refused = ❌ Telegram did not hand the file over just now. Please send it again.
receive-unfit = ❌ This file is not usable. The bot's data are as they were.

    { $reason }
receive-failed = ❌ The file could not be taken in. The bot's data are as they were.

    { $reason }
received = 📎 The archive is checked, and is in the list now: { $name }
button-list = 📂 Back to the list
restore-cancelled = ❌ Cancelled. The bot's data are as they were.
restore-started = ⏳ Restoring the data from { $name }…
restore-done = ✅ Done! All data are loaded from the backup:
    <b>{ $name }</b>

    Restored: { $records }
restore-done-in-part = ✅ Done! The data are loaded from the backup:
    <b>{ $name }</b>

    Restored: { $records }
restore-unknown = Unknown to the bot, passed over: { $records }
restore-untouched = Not in the backup, left as it was: { $records }
restore-renamed = The backup had no such sections: { $records }. One that had another name before is replaced; a new one is as it was.
restore-failed = ❌ The restore failed. The bot's data are as they were.

    { $reason }
restore-unclear = ❌ An error in the bot itself cut the restore off. The data may have changed: check them.

    { $reason }
restore-unclear-place = ❌ The restore was cut off: the folder of the backups stopped working. The data may have changed: check them.

    { $reason }
restore-way-back = All that was there before is saved. To bring it back: “{ $button }”.
restore-runs = ⏳ A restore is running, one minute…
restore-doubtful = ⚠️ The data are loaded from the backup:
    <b>{ $name }</b>
restore-unreadable = They could not be read after that, so they cannot be compared with the backup.

    <code>{ $detail }</code>
restore-unread = The backup could not be read again after that, so the data cannot be compared with it.

    <code>{ $detail }</code>
difference-counts = In the backup: { $archived }
    In the bot now: { $live }
difference-contents = As many records, but not those of the backup: { $records }
doubt-written = The bot was used during the restore, and the data may have changed. So I left everything. Check the data.
doubt-origin = Another bot or another version of this one made the backup. The difference may come from that, so I left everything. Check the data.
doubt-chosen = You chose this yourself, so I left everything. Check the data.
doubt-no-way-back = What was there before the restore could not be saved, so it cannot be brought back. Check the data.
rolled-back = ❌ After the restore the data were not those of the backup. I brought everything back as it was.
rolled-back-unreadable = ❌ After the restore the bot's data could not be read. I brought everything back as it was.

    <code>{ $detail }</code>
rolled-back-unread = ❌ After the restore the backup could not be read again, to compare the data with it. I brought everything back as it was. Try again later.

    <code>{ $detail }</code>
rolled-back-counts = In the backup: { $archived }
    After the restore: { $live }
rolled-back-left = What the restore left is saved. If it suits you, keep it with the button below.
button-keep = ✅ Keep what the restore left
undo-failed = ❌ The restore could not be undone yet; the bot's data are as they were. The button below works, try again.

    { $reason }
button-again = 🔁 Try once more
button-undo = ↩️ Undo the restore
undo-started = ⏳ Bringing back what was there before the restore…
undo-done = ↩️ The restore is undone: the data are as they were before it.

    Brought back: { $records }
button-redo = ↩️ Undo this
redo-started = ⏳ Bringing back what was there before the undo…
redo-done = ↩️ Done: the data are as they were before the undo.

    Brought back: { $records }
redo-failed = ❌ That could not be brought back yet; the bot's data are as they were. The button below works, try again.

    { $reason }
keep-started = ⏳ Bringing back what the restore left…
keep-done = ✅ Done: the bot now has what the restore left.

    Brought back: { $records }
undo-closed = ↩️ This can no longer be brought back: something was restored or brought back since. This press has changed nothing. All saved data are in the list: /backup_list
interrupted = ⚠️ A restore from { $name } was cut off in the middle. Check the data.
interrupted-way-back = All that was there before is saved. If something is wrong, the button below brings it back.
interrupted-lost = What was there before could not be read. If something is wrong, restore once more: /backup_list
interrupted-just-told = ⚠️ The last restore was cut off, and I have just sent a message about it. Read it and, if you still want this, try again.
interrupted-untold = ⚠️ The last restore was cut off, and Telegram has not taken the message about it yet. Until then I restore nothing. Try again a little later.
too-late = ⌛ Telegram did not take my question for a long time, and it is out of date. Without your answer I change nothing. Open the list: /backup_list
words-unsaid = ⚠️ This bot's own text “{ $name }” cannot be shown, so the usual one stands in its place. The backups work all the same. The bot's developer can mend the text.
notebook-damaged = ⚠️ The file state.json beside the backups was damaged, and I have begun a new one. The backups themselves are there. Only the notes of before are lost: the undo buttons of earlier restores do not work.

    If the bot stopped in the middle of a restore before that, check the data.
notebook-newer = ⚠️ A newer version of the bot has written the file state.json beside the backups, so I leave it alone. I make backups, but cannot restore data or remove old backups. Update the bot.
notebook-unread = ⚠️ The file state.json beside the backups cannot be read. As long as it lasts I cannot restore data or remove old backups, nor tell whether the last restore was cut off.

    { $reason }
undo-unread = ⚠️ The notes of the restore cannot be read just now. The button still works: press it a little later.
stale = This button is out of date. Open the list again: /backup_list
pending = ⏳ The answer to the last press is still on its way: Telegram has not taken it yet. Wait a little.

## Settings

settings = ⚙️ Automatic backups:

    Enabled: { $enabled }
    Interval: { $days ->
        [one] { $days } day
       *[other] { $days } days
    }
    Folder: { $folder }
    Backups to keep: { $keep }

    Last backup: { $last }
    Next backup: { $next }

    💡 { $hint }
settings-hint-file = To change the settings, edit the file { $file }
settings-hint-code = The settings are part of the bot's program
settings-unchanged = { $last }, no changes until { $until }
settings-never = none yet
settings-off = not scheduled
settings-soon = within minutes
settings-elsewhere = another running copy of the bot makes it
settings-not-started = the schedule is not running (the bot's program lacks spawn)

## Access

refusal = ⛔️ This command is for the administrator only.
private-only = 💬 Backups live in the private chat with me.

## Numbers

records = { $count ->
    [one] { $count } { $one }
   *[other] { $count } { $many }
}
and-more = and { $count } more
size = { $number } { $unit }

## Errors: what happened and what to do

error-busy = Another backup or restore is running. Wait until it ends, and try again.
error-not-found = That backup is no longer there. Open the list again: /backup_list
error-source = The bot's data could not be read or written. The old backups are safe.

    <code>{ $detail }</code>
error-damaged = The archive is damaged. Choose another one: /backup_list

    <code>{ $detail }</code>
error-unknown-version = The archive has version “{ $detail }”, which this program does not know. Update the bot and try again.
error-incompatible = The archive is whole, but this version of the bot cannot read it.

    <code>{ $detail }</code>
error-too-large = This is more than the bot may read or write. The limit is set in the bot's program.

    <code>{ $detail }</code>
error-changed = The archive has changed since you chose it. Open the list again: /backup_list
error-storage-full = The disk is full. Make room and try again.

    <code>{ $detail }</code>
error-access-denied = No access to the folder of the backups. Check that the bot may write to it.

    <code>{ $detail }</code>
error-storage = The folder of the backups does not work. Check the disk and try again.

    <code>{ $detail }</code>
error-internal = An internal error. The bot's log says more.

    <code>{ $detail }</code>


## The command line: no markup. Scripts need the first word of a line of list and the last line of backup.

command-usage = Usage: { $program } COMMAND

    {"  "}backup          make a backup
    {"  "}list            show the backups, the newest first
    {"  "}verify [FILE]   check a backup, or all of them
    {"  "}restore FILE    restore the data from a backup
    {"      "}--yes         do not ask
    {"      "}--force       restore even if the present data cannot be read
    {"  "}help            this text

    FILE is a name from the list or the path of an archive. Without a command the bot starts.

    Exit codes: 0 done, 1 not done, 2 a wrong command, 3 a backup is damaged or does not fit,
    4 another program is at work on the backups.
command-unknown = I do not understand “{ $word }”.
command-no-file = Which backup is to be restored? The name of a file is missing.
command-backup-done = ✅ The backup is made:
    { $path }
command-backup-failed = ❌ No backup was made.
    { $reason }
command-uncleaned = ⚠️ Old backups could not be removed; the new one is safe.
    { $reason }
command-no-backups = There are no backups yet.
command-list-failed = ❌ The list of backups could not be read.
    { $reason }
command-list-safety = (saved before a restore)
command-list-unchanged = (no changes until { $until }, checked)
command-verified = ✅ { $name }: { $records }
command-unfit = ❌ { $name }: { $reason }
command-confirm = Restore the data from the backup { $name }?

    Size: { $size }
    Made: { $created }
    In the backup: { $archived }
command-confirm-live = In the bot now: { $live }
command-confirm-unreadable = ⚠️ The data that are in the bot now cannot be read: this restore cannot be undone.
command-confirm-question = The bot's data will be replaced. Go on? [y/N]
command-unsaved = ❌ The data that are in the bot now cannot be read, so they cannot be saved. Nothing was changed.
    { $detail }
    If they are no longer needed, add --force: such a restore cannot be undone.
command-no-screen = You cannot be asked, since the errors go elsewhere. If you are sure, add --yes.
command-cancelled = Cancelled. The bot's data were not changed.
command-restore-done = ✅ Done! The data were restored from the backup { $name }
    Restored: { $records }
command-restore-failed = ❌ The restore did not work. The bot's data were not changed.
    { $reason }
command-restore-unclear = ❌ An error cut the restore off. The data may have changed: look at them.
    { $reason }
command-restore-doubtful = ⚠️ The data were restored from the backup { $name }
command-restore-unreadable = They could not be read after that, so they cannot be compared with the backup.
    { $detail }
command-restore-unread = The backup could not be read again after that, so the data cannot be compared with it.
    { $detail }
command-rolled-back = ❌ After the restore the data were not those of the backup. Everything is back as it was.
command-rolled-back-unreadable = ❌ After the restore the bot's data could not be read. Everything is back as it was.
    { $detail }
command-rolled-back-unread = ❌ After the restore the backup could not be read again, to compare the data with it. Everything is back as it was.
    { $detail }
command-rolled-back-advice = If the bot is running, it may have changed the data: stop it and try again.
command-rolled-back-left = What the restore left is saved. To keep it:
    {"  "}{ $program } restore { $safety }
command-interrupted = ⚠️ The last restore, from { $name }, was cut off half-way.
command-way-back = What was there before the restore is saved. To bring it back:
    {"  "}{ $program } restore { $safety }
command-error-busy = Another program, the bot perhaps, is at work on the backups. Wait and try again.
command-error-not-found = There is no such backup. To see which there are: list
command-error-source = The bot's data could not be read or written: { $detail }
command-error-damaged = The archive is damaged: { $detail }
command-error-unknown-version = The archive has version “{ $detail }”, which this program does not know. Update the bot.
command-error-incompatible = The archive is whole, but this version of the bot cannot read it: { $detail }
command-error-too-large = This is more than the bot may read or write: { $detail }
command-error-changed = The archive changed meanwhile. Try again.
command-error-storage-full = The disk is full: { $detail }
command-error-access-denied = No access: { $detail }. Run it as the user that the bot runs as.
command-error-storage = It did not work: { $detail }
