//! The dictionary in a snapshot: texts, rows, sets and profiles in order of their numbers. What the
//! settings say of a row is looked up again.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ChannelNo, ClientNo, Interner, Names, Profile, QueueIdNo, SetInfo};
use crate::engine::image::{Bounds, Fault, hold, stamp_or_none};
use crate::engine::settings::StateSettings;
use crate::event::Millis;

type Texts<'a> = Cow<'a, [Arc<str>]>;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NamesImage<'a> {
    clients: Texts<'a>,
    queues: Texts<'a>,
    channels: Texts<'a>,
    reasons: Texts<'a>,
    rows: Vec<(ClientNo, Option<QueueIdNo>, ChannelNo)>,
    sets: Cow<'a, [SetInfo]>,
    profiles: Cow<'a, [Profile]>,
    feeds: Cow<'a, [Millis]>,
}

impl Names {
    pub(crate) fn image(&self) -> NamesImage<'_> {
        let row = |row: &super::RowInfo| (row.client, row.queue, row.channel);
        NamesImage {
            clients: self.clients.texts().into(),
            queues: self.queues.texts().into(),
            channels: self.channels.texts().into(),
            reasons: self.reasons.texts().into(),
            rows: self.rows.iter().map(row).collect(),
            sets: self.sets().into(),
            profiles: self.profiles().into(),
            feeds: self.feeds().into(),
        }
    }

    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn restore(
        image: &NamesImage<'_>,
        settings: Arc<StateSettings>,
    ) -> Result<Self, Fault> {
        let mut names = Self::new(settings);
        for (interner, texts) in [
            (&mut names.clients, &image.clients),
            (&mut names.queues, &image.queues),
            (&mut names.channels, &image.channels),
            (&mut names.reasons, &image.reasons),
        ] {
            learn(interner, texts)?;
        }
        let bounds = Bounds::of(&names);
        for (number, &(client, queue, channel)) in image.rows.iter().enumerate() {
            bounds.client(client)?;
            queue.map_or(Ok(()), |queue| bounds.queue(queue))?;
            bounds.channel(channel)?;
            let row = names.row(client, queue, channel);
            hold(row.index() == number, "a row twice")?;
        }
        let bounds = Bounds::of(&names);
        for (number, set) in image.sets.iter().enumerate() {
            set.rows.iter().try_for_each(|&row| bounds.row(row))?;
            set.clients.iter().try_for_each(|&at| bounds.client(at))?;
            hold(names.set(set).index() == number, "a set twice")?;
        }
        for (number, &profile) in image.profiles.iter().enumerate() {
            profile
                .reason
                .map_or(Ok(()), |reason| bounds.reason(reason))?;
            let known = names.profile(profile);
            hold(known.index() == number, "a profile twice")?;
        }
        let clients = names.clients.texts().len();
        hold(image.feeds.len() <= clients, "feeds of unknown clients")?;
        image.feeds.iter().try_for_each(|&at| stamp_or_none(at))?;
        names.feeds = image.feeds.to_vec();
        Ok(names)
    }
}

fn learn(interner: &mut Interner, texts: &[Arc<str>]) -> Result<(), Fault> {
    for (number, text) in (0_u32..).zip(texts) {
        hold(interner.number(text) == number, "a text twice")?;
    }
    hold(
        interner.texts().len() == texts.len(),
        "a dictionary without its first text",
    )
}
