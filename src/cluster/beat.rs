//! A beat: which instant an instance has published whole, and what its figures are of.

use crate::event::{Family, Millis};
use crate::windows::frame::Part;

use super::bytes::{Bytes, put, put_signed};

/// An owned partition, as frames tell it.
pub type Claim = Part;

/// What an instance says once a second, after the rows that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The instant of the figures: a whole second.
    pub to: Millis,
    /// Of the settings that rows depend on. Rows of another shape cannot be added to ours.
    pub shape: u64,
    /// How many rows there are.
    pub rows: u64,
    /// Over all rows: whoever has the same has them all.
    pub check: u64,
    /// The partitions whose figures these are.
    pub claims: Vec<Claim>,
    /// How many partitions the contact and the agent topic have, as far as the instance knows.
    pub partitions: [u32; 2],
    /// Up to when the partitions are known to be whole; none when that is not known.
    pub known_to: Option<Millis>,
    /// Since when contacts and agents have been read; [`Millis::MIN`] for a log that has it all.
    pub since: [Millis; 2],
}

/// The most partitions of one beat that is read.
const CLAIMS_MAX: u64 = 20_000;

impl Beat {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + 8 * self.claims.len());
        put_signed(&mut out, self.to.0);
        out.extend_from_slice(&self.shape.to_le_bytes());
        out.extend_from_slice(&self.check.to_le_bytes());
        put(&mut out, self.rows);
        put(&mut out, u64::from(self.partitions[0]));
        put(&mut out, u64::from(self.partitions[1]));
        let known_to = self.known_to.unwrap_or(Millis::MIN);
        for instant in [known_to, self.since[0], self.since[1]] {
            put_signed(&mut out, instant.0);
        }
        put(&mut out, self.claims.len() as u64);
        for claim in &self.claims {
            out.push(match claim.family {
                Family::Contact => 0,
                Family::Agent => 1,
                Family::Queue => 2,
            });
            put(&mut out, u64::from(claim.partition.unsigned_abs()));
            put_signed(&mut out, claim.since.0);
        }
        out
    }

    /// From bytes; none if they are no beat. What a later version appends is left out.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let to = Millis(bytes.signed()?);
        let shape = word(&mut bytes)?;
        let check = word(&mut bytes)?;
        let rows = bytes.number()?;
        let mut count = || bytes.number().and_then(|count| u32::try_from(count).ok());
        let partitions = [count()?, count()?];
        let mut instant = || bytes.signed().map(Millis);
        let [known_to, contacts, agents] = [instant()?, instant()?, instant()?];
        let mut claims = Vec::new();
        for _ in 0..bytes.number().filter(|count| *count <= CLAIMS_MAX)? {
            let family = match bytes.byte()? {
                0 => Family::Contact,
                1 => Family::Agent,
                _ => return None,
            };
            claims.push(Claim {
                family,
                partition: i32::try_from(bytes.number()?).ok()?,
                since: Millis(bytes.signed()?),
            });
        }
        Some(Self {
            to,
            shape,
            rows,
            check,
            claims,
            partitions,
            known_to: (known_to != Millis::MIN).then_some(known_to),
            since: [contacts, agents],
        })
    }
}

fn word(bytes: &mut Bytes<'_>) -> Option<u64> {
    let (word, rest) = bytes.0.split_first_chunk()?;
    bytes.0 = rest;
    Some(u64::from_le_bytes(*word))
}
