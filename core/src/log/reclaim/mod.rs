//! Space that nothing living needs, used again and given back.

pub(super) mod gather;
pub(super) mod rewrite;
pub(super) mod shrink;
pub(super) mod sweep;
