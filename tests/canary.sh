#!/usr/bin/env bash
# Runs the suite with every log record down to TRACE written to a file, every request to Telegram, and
# what the programs say that it starts; and looks in it for what must never be there: the token and the
# data of clients. Where CANARY_FILE names the file already, the suite has run, and it only looks.
# The offline Telegram writes the requests: TELEGRAM_SANDBOX_CALLS names the same file.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${CANARY_FILE:-}" ]; then
    CANARY_FILE=$(mktemp)
    export CANARY_FILE TELEGRAM_SANDBOX_CALLS="$CANARY_FILE"
    trap 'rm -f "$CANARY_FILE"' EXIT
    cargo test --workspace --locked "$@"
fi

printf '%s lines, %s of them requests\n' "$(wc -l <"$CANARY_FILE")" "$(grep -ac '^CALL ' "$CANARY_FILE")"
grep -aq 'TRACE' "$CANARY_FILE" || { echo 'nothing was listened to' >&2; exit 1; }
# what the example sends to its clients, its orders and their data, is theirs; so it is in its trial
example='clientbotmanager|operations'
for program in access crash command_line ${example//|/ }; do
    grep -aq "^CALL $program sendMessage" "$CANARY_FILE" || { echo "no request of $program" >&2; exit 1; }
done
grep -aq 'clientbotmanager::bot: serving' "$CANARY_FILE" || { echo 'the example kept silent' >&2; exit 1; }

# the secrets of the tokens; what clients of the tests have ordered and written, those of the example
# among them; the texts of their errors
secret='AASandboxSandbox|[0-9]:token|canary-of-the-token'
clients="Бот № [0-9]|Отлично [0-9]+!|O'Brien|79990001122|Запись в салон|Отличный <бот>|Пять тысяч &"
clients+='|бот бот бот|Цветочный магазин с доставкой|напоминать о поливе'
clients+='|canary-of-a-client|791612345[0-9]{5}|a line of a log, again|11400714819323198485|2654435769'
errors='the database is <away>|the database is locked|host.s own code is wrong|no reviews today'
found=0
grep -anE "$secret" "$CANARY_FILE" && found=1
grep -avE "^CALL ($example) " "$CANARY_FILE" | grep -anE "$clients" && found=1
# the administrator reads why a backup failed, in the words of the host; no log does
grep -av '^CALL ' "$CANARY_FILE" | grep -anE "$errors" && found=1
[ "$found" = 0 ] || { echo 'something has leaked' >&2; exit 1; }
echo 'nothing has leaked'
