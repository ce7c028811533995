//! What it takes to say why a job is where it is, gathered in one go.

use super::{Broker, BrokerError, JobRecord};
use crate::queue::Lane;
use crate::why::{Scene, Why};

impl Broker {
    /// Why a job is where it is, as things stand now.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn why(&self, record: &JobRecord) -> Result<Why, BrokerError> {
        let (places, workers, controls, reports) = futures::try_join!(
            self.whereabouts(&record.job().id),
            self.workers(),
            self.controls(),
            self.recent_reports(),
        )?;
        let lanes: Vec<Lane> = places.lanes.iter().map(|(lane, _)| lane.clone()).collect();
        let scene = Scene {
            record,
            lanes: &lanes,
            opens: places.opens.first(),
            workers: &workers,
            controls: &controls,
        };
        let ahead = self.ahead(&places.lanes, scene.contenders()).await?;
        Ok(scene.why(ahead, &reports.iter().collect(), self.now()))
    }
}
