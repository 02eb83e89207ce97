//! The catalogue of Graph Data Science procedures.
