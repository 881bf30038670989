//! Names the shared library by the version of its interface, so that programs find one that suits.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let major = env::var("CARGO_PKG_VERSION_MAJOR").unwrap_or_default();
    let unix = env::var_os("CARGO_CFG_UNIX").is_some();
    let apple = env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    if apple {
        let name = format!("@rpath/librevwatch.{major}.dylib");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,{name}");
    } else if unix {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librevwatch.so.{major}");
    }
}
