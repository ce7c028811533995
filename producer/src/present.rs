//! Files that are at the outputs already, and whose they are.

use std::collections::{HashMap, HashSet};

use common::broker::Broker;
use common::location::Location;
use common::run::{Run, State};
use common::store::Stores;

use crate::exit::Error;
use crate::sources::Source;

/// What is at the outputs before any job is handed in.
pub struct Present<'a> {
    broker: &'a Broker,
    sizes: HashMap<Location, u64>,
    /// What jobs of the farm made, with its size then; read when first asked for.
    made: Option<HashSet<(Location, u64)>>,
}

impl<'a> Present<'a> {
    /// Looks at every output.
    ///
    /// # Errors
    /// Where the store gives no answer.
    pub async fn look(
        broker: &'a Broker,
        stores: &Stores,
        folder: &Location,
        sources: &[(Source, Location)],
    ) -> Result<Self, Error> {
        let sizes = if folder.is_remote() {
            let objects = stores.list(folder).await?;
            objects
                .into_iter()
                .map(|object| (object.location, object.size))
                .collect()
        } else {
            let size = |output: &Location| Some(output.path()?.symlink_metadata().ok()?.len());
            sources
                .iter()
                .filter_map(|(_, output)| Some((output.clone(), size(output)?)))
                .collect()
        };
        Ok(Self {
            broker,
            sizes,
            made: None,
        })
    }

    /// The size of what is at an output; `None` where nothing is.
    pub fn size(&self, output: &Location) -> Option<u64> {
        self.sizes.get(output).copied()
    }

    /// Whether something is there that no job of the farm made.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn is_foreign(&mut self, output: &Location) -> Result<bool, Error> {
        let Some(size) = self.size(output) else {
            return Ok(false);
        };
        let made = match &mut self.made {
            Some(made) => made,
            none => none.insert(made_by_the_farm(self.broker).await?),
        };
        Ok(!made.contains(&(output.clone(), size)))
    }
}

async fn made_by_the_farm(broker: &Broker) -> Result<HashSet<(Location, u64)>, Error> {
    let made = |run: Run| match run.state {
        State::Completed { report } => Some((run.job.output, report.output_size)),
        _ => None,
    };
    Ok(broker.runs().await?.into_iter().filter_map(made).collect())
}
