### Тексты плагина на русском. Значения в фигурных скобках подставляет программа.
### Разметка: HTML Telegram. Тексты кнопок и всплывающих ответов — без разметки.

## Создание

backup-started = ⏳ Создаю бекап…
backup-done = ✅ Бекап создан успешно:
    <code>{ $path }</code>
backup-failed = ❌ Бекап не создан.

    { $reason }
cleanup-failed = ⚠️ Старые бекапы удалить не получилось, новый на месте.

    { $reason }

## Расписание

scheduled-done = ✅ Бекап по расписанию создан:
    <code>{ $path }</code>

    Размер: { $size }
    Записей: { $records }
scheduled-recovered = ✅ Бекапы по расписанию снова работают.
scheduled-failed = ❌ Бекап по расписанию не создан.

    { $reason }

    Я буду пробовать снова и напишу, когда получится.

## Список

list-title = 📂 Список бекапов:
list-entry = { $number }. { $name }
    {"   "}Размер: { $size }
    {"   "}Создан: { $created }
    {"   "}Записей: { $records }
list-entry-safety = {"   "}🛟 Сохранён перед восстановлением
list-entry-damaged = { $number }. { $name }
    {"   "}Размер: { $size }
    {"   "}⚠️ { $state }
state-damaged = Повреждён, восстановить из него нельзя
state-unknown-version = Сделан версией «{ $version }», её эта программа не знает
state-unreadable = Не читается
list-page = Страница { $page } из { $pages }
list-empty = 📂 Бекапов пока нет.

    Создать первый: /backup
list-failed = ❌ Не получилось прочитать список бекапов.

    { $reason }
button-backup = 🔄 { $number }. { $created }
button-damaged = ⚠️ { $number }. { $created }
button-previous = ◀️
button-next = ▶️

## Восстановление

inspect-started = ⏳ Проверяю { $name }…
inspect-failed = ❌ Из { $name } восстановить нельзя. Данные бота не изменены.

    { $reason }
confirm = 🔄 Восстановить данные из этого бекапа?

    <b>{ $name }</b>
    Размер: { $size }
    Создан: { $created }

    В бекапе: { $archived }
confirm-live = Сейчас в боте: { $live }
confirm-unreadable = ⚠️ Данные, которые сейчас в боте, прочитать не получилось, поэтому сохранить их я не смогу. Отменить это восстановление будет нельзя.

    <code>{ $detail }</code>
confirm-unknown = В бекапе есть то, чего эта версия бота не знает, это я пропущу: { $records }
confirm-untouched = В этом бекапе нет части данных, они останутся как есть: { $records }
confirm-fewer = ⚠️ Записей станет намного меньше: сейчас { $live }, в бекапе { $archived }.
confirm-foreign = ⚠️ Этот бекап сделал другой бот.
confirm-promise = Сначала я сохраню текущие данные, поэтому восстановление можно будет отменить.
confirm-expiry = Кнопки действуют 2 минуты.
button-yes = ✅ Да, восстановить
button-no = ❌ Отмена
button-download = 📥 Скачать архив
download-refused = ❌ Telegram сейчас не принял архив. Попробуйте ещё раз; на сервере он лежит здесь:
    <code>{ $path }</code>
download-too-large = Архив больше 50 МБ, такой Telegram от бота не примет. На сервере он лежит здесь:
    <code>{ $path }</code>
download-failed = ❌ Отправить архив не получилось.

    { $reason }
button-list = 📂 К списку
restore-cancelled = ❌ Отменено. Данные бота не изменены.
restore-started = ⏳ Восстанавливаю данные из { $name }…
restore-done = ✅ Готово! Все данные загружены из бекапа:
    <b>{ $name }</b>

    Восстановлено: { $records }
restore-done-in-part = ✅ Готово! Данные загружены из бекапа:
    <b>{ $name }</b>

    Восстановлено: { $records }
restore-unknown = Бот этого не знает, пропущено: { $records }
restore-untouched = В бекапе не было, осталось как было: { $records }
restore-failed = ❌ Восстановить не получилось. Данные бота не изменены.

    { $reason }
restore-unclear = ❌ Восстановление прервала ошибка в самом боте. Данные могли измениться: проверьте их.

    { $reason }
restore-way-back = Всё, что было до восстановления, сохранено. Вернуть — кнопкой ниже.
undo-failed = ❌ Отменить восстановление пока не получилось, данные бота не изменены. Кнопка ниже работает, попробуйте ещё раз.

    { $reason }
button-undo = ↩️ Отменить восстановление
undo-started = ⏳ Возвращаю то, что было до восстановления…
undo-done = ↩️ Восстановление отменено, данные снова такие, как до него.

    Возвращено: { $records }
button-redo = ↩️ Вернуть обратно
redo-started = ⏳ Возвращаю то, что было до отмены…
redo-done = ↩️ Готово, данные снова такие, как до отмены.

    Возвращено: { $records }
redo-failed = ❌ Вернуть обратно пока не получилось, данные бота не изменены. Кнопка ниже работает, попробуйте ещё раз.

    { $reason }
interrupted = ⚠️ Бот выключился посреди восстановления из { $name }. Проверьте данные.
interrupted-way-back = Всё, что было до восстановления, сохранено. Если что-то не так, верните кнопкой ниже.
interrupted-lost = То, что было до него, прочитать не удавалось. Если что-то не так, восстановите данные ещё раз: /backup_list
stale = Кнопка устарела. Откройте список заново: /backup_list

## Настройки

settings = ⚙️ Настройки автоматического бекапа:

    Включено: { $enabled }
    Интервал: { $days ->
        [one] { $days } день
        [few] { $days } дня
       *[many] { $days } дней
    }
    Директория: { $folder }
    Хранить бекапов: { $keep } шт.

    Последний бекап: { $last }
    Следующий бекап: { $next }

    💡 { $hint }
settings-hint-file = Для изменения настроек отредактируйте файл { $file }
settings-hint-code = Настройки заданы в программе бота
settings-never = ещё не было
settings-off = по расписанию не будет
settings-soon = в ближайшие минуты
settings-not-started = расписание не запущено (в программе бота нет spawn)

## Доступ

refusal = ⛔️ Эта команда только для администратора.
private-only = 💬 Бекапы — в личном чате со мной.

## Числа

records = { $count ->
    [one] { $count } { $one }
    [few] { $count } { $few }
   *[many] { $count } { $many }
}
and-more = и ещё { $count }
size = { $number } { $unit }

## Ошибки: что случилось и что сделать

error-busy = Сейчас идёт другой бекап или восстановление. Подождите, пока закончится, и повторите.
error-not-found = Такого бекапа больше нет. Откройте список заново: /backup_list
error-source = Не получилось прочитать или записать данные бота. Старые бекапы на месте.

    <code>{ $detail }</code>
error-damaged = Архив повреждён. Выберите другой: /backup_list

    <code>{ $detail }</code>
error-unknown-version = Архив версии «{ $detail }», её эта программа не знает. Обновите бота и попробуйте снова.
error-incompatible = Архив цел, но эта версия бота не может его прочитать.

    <code>{ $detail }</code>
error-changed = Архив изменился с тех пор, как вы его выбрали. Откройте список заново: /backup_list
error-storage-full = На диске кончилось место. Освободите его и повторите.

    <code>{ $detail }</code>
error-access-denied = Нет доступа к папке бекапов. Проверьте, что бот может в неё писать.

    <code>{ $detail }</code>
error-storage = Папка бекапов не работает. Проверьте диск и повторите.

    <code>{ $detail }</code>
error-internal = Внутренняя ошибка. Подробности — в журнале бота.

    <code>{ $detail }</code>


## Командная строка: без разметки. Первое слово строки list и последняя строка backup нужны скриптам.

command-usage = Использование: { $program } КОМАНДА

    {"  "}backup          создать бекап
    {"  "}list            показать бекапы, новые сверху
    {"  "}verify [ФАЙЛ]   проверить бекап, без файла — все
    {"  "}restore ФАЙЛ    восстановить данные из бекапа
    {"      "}--yes         не спрашивать
    {"      "}--force       восстановить, даже если нынешние данные не читаются
    {"  "}help            эта подсказка

    ФАЙЛ — имя из списка или путь к архиву. Без команды запускается бот.

    Коды выхода: 0 — сделано, 1 — не сделано, 2 — ошибка в команде,
    3 — бекап повреждён или не подходит, 4 — с бекапами работает другая программа.
command-unknown = Не понимаю «{ $word }».
command-no-file = Не хватает имени файла: какой бекап восстановить?
command-backup-done = ✅ Бекап создан успешно:
    { $path }
command-backup-failed = ❌ Бекап не создан.
    { $reason }
command-uncleaned = ⚠️ Старые бекапы удалить не получилось, новый на месте.
    { $reason }
command-no-backups = Бекапов пока нет.
command-list-failed = ❌ Не получилось прочитать список бекапов.
    { $reason }
command-list-safety = (сохранён перед восстановлением)
command-verified = ✅ { $name }: { $records }
command-unfit = ❌ { $name }: { $reason }
command-confirm = Восстановить данные из бекапа { $name }?

    Размер: { $size }
    Создан: { $created }
    В бекапе: { $archived }
command-confirm-live = Сейчас в боте: { $live }
command-confirm-unreadable = ⚠️ Данные, которые сейчас в боте, не читаются: отменить это восстановление будет нельзя.
command-confirm-question = Данные бота будут заменены. Продолжить? [д/Н]
command-unsaved = ❌ Данные, которые сейчас в боте, прочитать не получилось, поэтому сохранить их нельзя. Ничего не изменено.
    { $detail }
    Если они больше не нужны, добавьте --force: отменить такое восстановление будет нельзя.
command-no-screen = Спросить вас не получится: вывод ошибок идёт не на экран. Если уверены, добавьте --yes.
command-cancelled = Отменено. Данные бота не изменены.
command-restore-done = ✅ Готово! Данные загружены из бекапа { $name }
    Восстановлено: { $records }
command-restore-failed = ❌ Восстановить не получилось. Данные бота не изменены.
    { $reason }
command-restore-unclear = ❌ Восстановление прервала ошибка. Данные могли измениться: проверьте их.
    { $reason }
command-interrupted = ⚠️ Прошлое восстановление, из { $name }, прервалось на середине.
command-way-back = То, что было до восстановления, сохранено. Вернуть:
    {"  "}{ $program } restore { $safety }
command-error-busy = Сейчас с бекапами работает другая программа, например бот. Подождите и повторите.
command-error-not-found = Такого бекапа нет. Какие есть, покажет list.
command-error-source = Не получилось прочитать или записать данные бота: { $detail }
command-error-damaged = Архив повреждён: { $detail }
command-error-unknown-version = Архив версии «{ $detail }», её эта программа не знает. Обновите бота.
command-error-incompatible = Архив цел, но эта версия бота не может его прочитать: { $detail }
command-error-changed = Архив изменился, пока шла работа. Повторите.
command-error-storage-full = На диске кончилось место: { $detail }
command-error-access-denied = Нет доступа: { $detail }. Запустите от имени пользователя, под которым работает бот.
command-error-storage = Не получилось: { $detail }
