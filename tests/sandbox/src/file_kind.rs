//! The kinds of files that a message can carry.

use serde_json::{Map, Value, json};

/// What a file is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A picture.
    Photo,
    /// A video.
    Video,
    /// A GIF or a video without sound.
    Animation,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A round video message.
    VideoNote,
    /// A sticker.
    Sticker,
    /// Any file.
    Document,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Photo,
        Self::Video,
        Self::Animation,
        Self::Audio,
        Self::Voice,
        Self::VideoNote,
        Self::Sticker,
        Self::Document,
    ];

    /// The field of a `Message` that shows it, like `video_note`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::VideoNote => "video_note",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }

    /// Whether it can have a caption.
    pub fn takes_caption(self) -> bool {
        !matches!(self, Self::VideoNote | Self::Sticker)
    }

    /// The kind with this field.
    pub(crate) fn of_field(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.field() == field)
    }

    /// The name in error messages of Telegram.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Photo => "Photo",
            Self::Video => "Video",
            Self::Animation => "Animation",
            Self::Audio => "Audio",
            Self::Voice => "VoiceNote",
            Self::VideoNote => "VideoNote",
            Self::Sticker => "Sticker",
            Self::Document => "Document",
        }
    }

    /// The folder of a download.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Video => "videos",
            Self::Animation => "animations",
            Self::Audio => "music",
            Self::Voice => "voice",
            Self::VideoNote => "video_notes",
            Self::Sticker => "stickers",
            Self::Document => "documents",
        }
    }

    /// The MIME type of a file whose name doesn't tell it.
    pub(crate) fn mime_type(self) -> &'static str {
        match self {
            Self::Photo => "image/jpeg",
            Self::Video | Self::Animation | Self::VideoNote => "video/mp4",
            Self::Audio => "audio/mpeg",
            Self::Voice => "audio/ogg",
            Self::Sticker => "image/webp",
            Self::Document => "application/octet-stream",
        }
    }

    /// Whether people see the name of the file.
    pub(crate) fn shows_name(self) -> bool {
        matches!(self, Self::Video | Self::Animation | Self::Audio | Self::Document)
    }

    /// Whether the Bot API tells the MIME type.
    pub(crate) fn shows_mime_type(self) -> bool {
        self.shows_name() || self == Self::Voice
    }

    /// The fields that nobody can know without looking into the file: the
    /// sandbox makes them up unless the bot tells them.
    pub(crate) fn made_up(self) -> Map<String, Value> {
        let fields = match self {
            Self::Photo => json!({ "width": 800, "height": 600 }),
            Self::Video | Self::Animation => json!({ "width": 640, "height": 480, "duration": 3 }),
            Self::Audio | Self::Voice => json!({ "duration": 3 }),
            Self::VideoNote => json!({ "length": 240, "duration": 3 }),
            Self::Sticker => json!({
                "width": 512, "height": 512, "type": "regular", "is_animated": false,
                "is_video": false,
            }),
            Self::Document => json!({}),
        };
        fields.as_object().cloned().unwrap_or_default()
    }
}
