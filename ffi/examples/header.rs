//! Writes the C header to the path given: the conventions, the errors of the core's table, and what
//! cbindgen reads from this crate.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use revwatch_core::ErrorCode;

fn main() -> Result<(), Box<dyn Error>> {
    let to = std::env::args()
        .nth(1)
        .ok_or("give the path to write the header to")?;
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml"))?;
    config.header = Some(
        std::fs::read_to_string(crate_dir.join("conventions.h"))?
            .trim_end()
            .into(),
    );
    config.after_includes = Some(errors()?);
    let mut header = Vec::new();
    cbindgen::generate_with_config(crate_dir, config)?.write(&mut header);
    let header = String::from_utf8(header)?;
    std::fs::write(to, format!("{}\n", header.trim_end()))?;
    Ok(())
}

/// A constant for each error, negative as the functions answer it.
fn errors() -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for code in ErrorCode::ALL {
        let name = upper_snake(code.name());
        write!(
            text,
            "\n// {}\n#define REVWATCH_ERROR_{name} -{}\n",
            code.meaning(),
            *code as i32
        )?;
    }
    Ok(text)
}

/// `EmptyKey` becomes `EMPTY_KEY`.
fn upper_snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}
