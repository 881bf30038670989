//! Leases.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::answer;
use crate::store::RawStore;

#[wasm_bindgen]
impl RawStore {
    /// A new lease.
    #[wasm_bindgen(js_name = leaseGrant)]
    pub fn lease_grant(&mut self, id: i64, ttl_ms: i64) -> Vec<u8> {
        answer(|writer| {
            let granted = self.store.lease_grant(id, ttl_ms)?;
            writer
                .int(granted.id)
                .int(granted.ttl_ms)
                .int(granted.revision);
            Ok(())
        })
    }

    /// Ends a lease and deletes its keys.
    #[wasm_bindgen(js_name = leaseRevoke)]
    pub fn lease_revoke(&mut self, id: i64) -> Vec<u8> {
        answer(|writer| {
            writer.int(self.store.lease_revoke(id)?.revision);
            Ok(())
        })
    }

    /// Gives a lease its full time again.
    #[wasm_bindgen(js_name = leaseKeepAlive)]
    pub fn lease_keep_alive(&mut self, id: i64) -> Vec<u8> {
        answer(|writer| {
            let kept = self.store.lease_keep_alive(id)?;
            writer.int(kept.id).int(kept.ttl_ms).int(kept.revision);
            Ok(())
        })
    }

    /// What is left of a lease, and if asked for, which keys hang on it.
    #[wasm_bindgen(js_name = leaseTimeToLive)]
    pub fn lease_time_to_live(&self, id: i64, keys: bool) -> Vec<u8> {
        answer(|writer| {
            let lease = self.store.lease_time_to_live(id, keys);
            writer
                .int(lease.id)
                .int(lease.ttl_ms)
                .int(lease.granted_ttl_ms)
                .int(lease.revision);
            writer.list(lease.keys.iter(), |writer, key| {
                writer.bytes(key);
            });
            Ok(())
        })
    }

    /// The ids of all leases.
    pub fn leases(&self) -> Vec<u8> {
        answer(|writer| {
            writer.list(self.store.leases().into_iter(), |writer, id| {
                writer.int(id);
            });
            Ok(())
        })
    }
}
