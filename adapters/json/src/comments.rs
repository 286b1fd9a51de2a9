//! What the `.proto` files say in comments.

use std::collections::HashMap;

use prost::{DecodeError, Message as _};
use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor,
    ServiceDescriptor,
};
use prost_types::FileDescriptorSet;

/// Comments by file and place in it.
#[derive(Debug)]
pub(crate) struct Comments(HashMap<String, HashMap<Vec<i32>, String>>);

/// What a comment may be about.
pub(crate) trait Commented {
    /// The file it stands in.
    fn file(&self) -> FileDescriptor;
    /// Its place there.
    fn place(&self) -> &[i32];
}

// === impl Comments ===

impl Comments {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let set = FileDescriptorSet::decode(bytes)?;
        let files = set.file.into_iter().map(|mut file| {
            let said = file.source_code_info.take().unwrap_or_default().location;
            let said = said.into_iter().map(|it| (it.path, outdented(&it.leading_comments.unwrap_or_default())));
            (file.name.unwrap_or_default(), said.collect())
        });
        Ok(Self(files.collect()))
    }

    /// What is said of `thing`; empty if nothing is.
    pub(crate) fn of(&self, thing: &impl Commented) -> &str {
        let said = self.0.get(thing.file().name()).and_then(|file| file.get(thing.place()));
        said.map_or("", String::as_str)
    }
}

/// A comment begins with a space in every line.
fn outdented(comment: &str) -> String {
    let lines: Vec<_> = comment.trim_end().lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

macro_rules! commented {
    ($($thing:ty),*) => {
        $(impl Commented for $thing {
            fn file(&self) -> FileDescriptor {
                self.parent_file()
            }

            fn place(&self) -> &[i32] {
                self.path()
            }
        })*
    };
}

commented!(
    ServiceDescriptor,
    MethodDescriptor,
    MessageDescriptor,
    FieldDescriptor,
    EnumDescriptor,
    EnumValueDescriptor
);
