//! Every way in which a record is not counted, and every way in which one is counted corrected.

/// Why a record changed no figure. Each variant is one value of the label `reason` of
/// `queuepulse_discarded_total`; the list is closed, so nothing vanishes uncounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discard {
    /// Zero bytes, or white space only.
    Empty,
    /// A record without a value.
    Tombstone,
    /// Larger than the size cap.
    TooLarge,
    /// The JSON ends too early.
    JsonEof,
    /// Not JSON, or something follows the object.
    JsonSyntax,
    /// JSON, but not an object.
    NotObject,
    /// Not UTF-8, or a lone surrogate where text is needed.
    Encoding,
    /// A field has the wrong type.
    WrongType,
    /// A number that is no number, or no whole one.
    Number,
    /// A number outside its range.
    OutOfRange,
    /// A field that the type needs is missing.
    MissingField,
    /// A known field stands twice.
    DuplicateField,
    /// An id or queue of no characters.
    EmptyId,
    /// A value that its field does not know (an outcome, a state, a direction).
    UnknownValue,
    /// An event type that we do not know.
    UnknownType,
    /// A time before 1990 or after 2100.
    TimeRange,
    /// A time without an offset.
    AmbiguousTime,
    /// A time later than the record's own timestamp + `max_ahead`.
    FutureTime,
    /// An event of another topic's family.
    WrongTopic,
    /// The same event, or the same fact, again.
    Duplicate,
    /// A fact of a settled contact.
    LateDuplicate,
    /// A fact of an unknown contact, older than stream time less `retain`.
    TooLate,
    /// A fact of a contact that has as many as one contact may have.
    TooManyFacts,
    /// A queue, client, channel or aux reason beyond as many as a partition may know.
    TooManyQueues,
}

impl Discard {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 24] = [
        Self::Empty,
        Self::Tombstone,
        Self::TooLarge,
        Self::JsonEof,
        Self::JsonSyntax,
        Self::NotObject,
        Self::Encoding,
        Self::WrongType,
        Self::Number,
        Self::OutOfRange,
        Self::MissingField,
        Self::DuplicateField,
        Self::EmptyId,
        Self::UnknownValue,
        Self::UnknownType,
        Self::TimeRange,
        Self::AmbiguousTime,
        Self::FutureTime,
        Self::WrongTopic,
        Self::Duplicate,
        Self::LateDuplicate,
        Self::TooLate,
        Self::TooManyFacts,
        Self::TooManyQueues,
    ];

    /// The label value.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Tombstone => "tombstone",
            Self::TooLarge => "too_large",
            Self::JsonEof => "json_eof",
            Self::JsonSyntax => "json_syntax",
            Self::NotObject => "not_object",
            Self::Encoding => "encoding",
            Self::WrongType => "wrong_type",
            Self::Number => "number",
            Self::OutOfRange => "out_of_range",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::EmptyId => "empty_id",
            Self::UnknownValue => "unknown_value",
            Self::UnknownType => "unknown_type",
            Self::TimeRange => "time_range",
            Self::AmbiguousTime => "ambiguous_time",
            Self::FutureTime => "future_time",
            Self::WrongTopic => "wrong_topic",
            Self::Duplicate => "duplicate",
            Self::LateDuplicate => "late_duplicate",
            Self::TooLate => "too_late",
            Self::TooManyFacts => "too_many_facts",
            Self::TooManyQueues => "too_many_queues",
        }
    }
}

/// Something odd about a record that was counted all the same. Each variant is one value of the
/// label `reason` of `queuepulse_irregular_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Correction {
    /// More than `late_after` behind stream time.
    Late,
    /// A negative duration became 0.
    NegativeDuration,
    /// A second, different outcome of a visit.
    Conflict,
    /// A `dequeued` that no `queued` ever came for.
    Orphan,
    /// A contact without news for `ghost_after`.
    Swept,
    /// A fact that never had an effect, counted when its contact was settled.
    NoEffect,
}

impl Correction {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Late,
        Self::NegativeDuration,
        Self::Conflict,
        Self::Orphan,
        Self::Swept,
        Self::NoEffect,
    ];

    /// The label value.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::NegativeDuration => "negative_duration",
            Self::Conflict => "conflict",
            Self::Orphan => "orphan",
            Self::Swept => "swept",
            Self::NoEffect => "no_effect",
        }
    }
}
