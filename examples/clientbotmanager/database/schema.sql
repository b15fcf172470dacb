-- A new table is added here with IF NOT EXISTS, and appears in an older database at the next start.
-- A new column is not: that takes an ALTER TABLE in `database.rs`, chosen by PRAGMA user_version.

-- Whoever has met the bot, so that a newcomer is known from a regular.
CREATE TABLE IF NOT EXISTS clients (
    user_id INTEGER PRIMARY KEY
) STRICT;

-- `data` holds the answers of the order form, also those of older versions.
CREATE TABLE IF NOT EXISTS orders (
    user_id   INTEGER NOT NULL,
    order_id  TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    status    TEXT NOT NULL,
    data      TEXT NOT NULL,
    PRIMARY KEY (user_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS orders_by_time ON orders (timestamp DESC);

CREATE TABLE IF NOT EXISTS referrals (
    number      INTEGER PRIMARY KEY,
    inviter_id  INTEGER NOT NULL,
    newcomer_id INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS referrals_by_inviter ON referrals (inviter_id, number);
CREATE INDEX IF NOT EXISTS referrals_by_newcomer ON referrals (newcomer_id);

CREATE TABLE IF NOT EXISTS bonuses (
    user_id INTEGER PRIMARY KEY,
    roubles INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS reviews (
    number INTEGER PRIMARY KEY,
    id     TEXT,
    author TEXT NOT NULL,
    rating INTEGER,
    text   TEXT NOT NULL,
    date   TEXT
) STRICT;

-- Reviews that wait for the administrator.
CREATE TABLE IF NOT EXISTS pending_reviews (
    number  INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    user_id INTEGER,
    author  TEXT NOT NULL,
    rating  INTEGER,
    text    TEXT NOT NULL,
    date    TEXT
) STRICT;

-- Portfolio, frequent questions, contacts, «about».
CREATE TABLE IF NOT EXISTS contents (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    topic  TEXT NOT NULL,
    title  TEXT NOT NULL,
    text   TEXT NOT NULL,
    link   TEXT,
    photo  TEXT
) STRICT;

-- Whose words each message in the administrator's chat holds, so that it can be answered.
CREATE TABLE IF NOT EXISTS support_messages (
    bot_id     INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    date       TEXT NOT NULL,
    PRIMARY KEY (bot_id, message_id)
) STRICT, WITHOUT ROWID;

-- Where each conversation stands, so that a restart interrupts nobody.
CREATE TABLE IF NOT EXISTS dialogues (
    chat_id INTEGER PRIMARY KEY,
    state   TEXT NOT NULL
) STRICT;
