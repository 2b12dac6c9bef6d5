//! The binary: verbs only.
fn main() {}
