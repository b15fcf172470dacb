"""Trims a machine-readable Bot API description to what the sandbox serves.

Usage: python3 trim.py path/to/bot-api.json > bot-api.json

Input: `api.json` of github.com/PaulSonOfLars/telegram-bot-api-spec (MIT).
Output: names, types and required flags of the methods below and of the types they take, and the
words that a field must have, like "photo" as the type of an InputMediaPhoto.
"""

import json
import re
import sys

METHODS = """getMe getUpdates sendMessage editMessageText editMessageCaption
editMessageReplyMarkup answerCallbackQuery sendPhoto sendVideo sendAnimation sendAudio sendVoice
sendVideoNote sendSticker sendDocument sendMediaGroup sendContact sendLocation copyMessage
forwardMessage getFile setMyCommands getMyCommands deleteMyCommands setChatMenuButton
getChatMenuButton deleteMessage deleteMessages sendChatAction getWebhookInfo deleteWebhook""".split()


def fields(of):
    out = {"required": {}, "optional": {}}
    for field in of.get("fields", []):
        out["required" if field["required"] else "optional"][field["name"]] = field["types"]
        word = re.search(r"must be ([a-z_]+)$", field["description"])
        if field["name"] == "type" and word:
            out["fixed"] = {"type": word.group(1)}
    return out


def named(types):
    return [name.replace("Array of ", "") for name in types]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    methods, types, todo = {}, {}, []
    for name in METHODS:
        methods[name] = fields(spec["methods"][name])
    for method in methods.values():
        for group in method.values():
            for taken in group.values():
                todo += named(taken)
    while todo:
        name = todo.pop(0)
        if name in types or name not in spec["types"]:
            continue
        found = spec["types"][name]
        types[name] = {"any_of": found["subtypes"]} if found.get("subtypes") else fields(found)
        todo += found.get("subtypes", [])
        for field in found.get("fields", []):
            todo += named(field["types"])
    out = {"version": spec["version"], "methods": methods, "types": types}
    print(json.dumps(out, indent=1, ensure_ascii=False))


main()
