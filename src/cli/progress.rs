//! The readers of a run's events: a live line a stage on a terminal, plain lines elsewhere, JSON lines for programs.

mod json;
mod live;
mod plain;

use tokio::sync::mpsc::UnboundedReceiver;

use super::exit::CommandError;
use super::signals;
use super::ui::Ui;
use crate::progress::{Event, Interrupt, Progress};

/// Does work that tells events and can be asked to stop: they are shown beside it, and Ctrl-C is heard.
///
/// The work owns its end of the channel, so that the reader ends with it.
pub async fn attend<T>(
    ui: &Ui,
    json: bool,
    work: impl AsyncFnOnce(Progress, Interrupt) -> T,
) -> Result<T, CommandError> {
    let (progress, events) = Progress::channel();
    let (interrupter, interrupt) = Interrupt::channel();
    signals::listen(interrupter).map_err(|error| CommandError::io("signals cannot be listened to", error))?;
    let (done, shown) = tokio::join!(work(progress, interrupt), show(ui, json, events));
    shown?;
    Ok(done)
}

/// Shows the events of a run until it ends.
///
/// # Errors
/// Where they cannot be written; the run is heard to its end all the same.
pub async fn show(ui: &Ui, json: bool, mut events: UnboundedReceiver<Event>) -> Result<(), CommandError> {
    let mut reader: Box<dyn Reader> = if json {
        Box::new(json::Json::new(ui))
    } else if ui.is_live() {
        Box::new(live::Live::new(ui.colours()))
    } else {
        Box::new(plain::Plain::new(ui))
    };
    while let Some(event) = events.recv().await {
        reader.read(&event);
    }
    reader.end()
}

/// Something that shows events.
trait Reader {
    /// Shows one event.
    fn read(&mut self, event: &Event);

    /// What kept it from showing all of them.
    fn end(&mut self) -> Result<(), CommandError> {
        Ok(())
    }
}

/// A count with thousands apart, as people read it.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds, as people read them.
fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor())
    }
}

#[cfg(test)]
mod tests {
    use super::{count, seconds};

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_530), "1,530");
        assert_eq!(count(3_627_882), "3,627,882");
    }

    #[test]
    fn seconds_take_the_unit_that_fits() {
        assert_eq!(seconds(0.0421), "42 ms");
        assert_eq!(seconds(2.06), "2.1 s");
        assert_eq!(seconds(125.9), "2 min 05 s");
    }
}
