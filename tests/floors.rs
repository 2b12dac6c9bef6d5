//! The architecture, kept by a test.
