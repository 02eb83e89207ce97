//! What a Java stack trace has to say.

/// Begins the line of a cause.
const CAUSE: &str = "Caused by: ";
/// Messages that say only that something went wrong further down.
const WRAPPERS: [&str; 2] =
    ["Exiting WorkerSinkTask due to unrecoverable exception.", "Tolerance exceeded in error handler"];

/// The cause that a stack trace ends with, in a line, after what was tried, where the trace says that in words of its own.
pub(super) fn cause(trace: &str) -> String {
    let heads = trace.lines().enumerate().filter_map(|(place, line)| match line.strip_prefix(CAUSE) {
        Some(cause) => Some(cause),
        None if place == 0 => Some(line),
        None => None,
    });
    let mut words: Vec<String> = heads.map(message).filter(|words| !is_wrapper(words)).collect();
    let Some(cause) = words.pop() else {
        return trace.lines().next().map(message).unwrap_or_default();
    };
    match words.first() {
        Some(tried) if !tried.contains(&cause) && !cause.contains(tried) => {
            format!("{}: {cause}", tried.trim_end_matches('.'))
        }
        _ => cause,
    }
}

fn is_wrapper(words: &str) -> bool {
    words.is_empty() || WRAPPERS.iter().any(|wrapper| words.starts_with(wrapper))
}

/// An exception's message. Its class goes before one that is a single word, such as a path, or stands for none.
fn message(head: &str) -> String {
    let (class, message) = head.split_once(": ").unwrap_or((head, ""));
    let is_class = !class.contains(' ') && class.contains('.');
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    match message {
        _ if !is_class => head.trim().to_owned(),
        "" => simple.to_owned(),
        one if !one.trim().contains(' ') => format!("{simple}: {}", one.trim()),
        words => words.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_cause_is_told_after_what_was_tried() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file '/no/x' for FileStreamSinkTask\n\
                     \tat org.apache.kafka.connect.file.FileStreamSinkTask.start(FileStreamSinkTask.java:72)\n\
                     Caused by: java.nio.file.NoSuchFileException: /no/x\n\
                     \tat java.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:92)\n\
                     \t... 8 more\n";
        assert_eq!(
            cause(trace),
            "Couldn't find or create file '/no/x' for FileStreamSinkTask: NoSuchFileException: /no/x"
        );
    }

    #[test]
    fn what_only_wraps_is_left_out() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n\
                     \tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:636)\n\
                     Caused by: org.neo4j.driver.exceptions.ClientException: Invalid input 'MERG': expected 'MERGE' (line 1, column 1)\n\
                     \t... 10 more\n";
        assert_eq!(cause(trace), "Invalid input 'MERG': expected 'MERGE' (line 1, column 1)");
        assert_eq!(cause("java.lang.NullPointerException\n\tat a.B.c(B.java:1)"), "NullPointerException");
        assert_eq!(cause(""), "");
    }
}
