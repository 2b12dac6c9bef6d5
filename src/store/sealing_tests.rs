//! Tests of the master key and the seal.
