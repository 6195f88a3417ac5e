//! Gathers the photographs of a stack.
