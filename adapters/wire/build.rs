//! Compiles the published language: Rust types and services, and the descriptors that reflection answers from.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, SourceCodeInfo};

const INCLUDES: [&str; 2] = ["../../proto", "../../third_party/googleapis"];

fn main() -> Result<(), Box<dyn Error>> {
    for include in INCLUDES {
        println!("cargo:rerun-if-changed={include}");
    }
    let mut files = protos(PathBuf::from(INCLUDES[0]))?;
    // Nothing imports the error details; with them in reflection, clients can print what an error carries.
    files.push(PathBuf::from(INCLUDES[1]).join("google/rpc/error_details.proto"));

    let mut compiler = protox::Compiler::new(INCLUDES)?;
    compiler.include_imports(true).open_files(files)?;
    // Without source info, which is half of it, but with the options that prost's own types would drop.
    let descriptors = compiler.include_source_info(false).encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors)?;

    // With source info: the comments become the documentation of the generated types.
    let mut types = compiler.include_source_info(true).file_descriptor_set();
    fs::write(out.join("comments.bin"), comments(&types).encode_to_vec())?;
    // Options only, and what tonic-types has already.
    types.file.retain(|file| !matches!(file.package(), "google.api" | "google.rpc"));
    tonic_prost_build::configure().include_file("pb.rs").compile_fds(types)?;
    Ok(())
}

/// What the files say in comments, and nothing else: for the documentation that servers offer.
fn comments(described: &FileDescriptorSet) -> FileDescriptorSet {
    // What options are is not for callers.
    let told = |file: &&FileDescriptorProto| !matches!(file.package(), "google.api" | "google.protobuf");
    let file = described.file.iter().filter(told).map(|file| {
        let mut said = file.source_code_info.clone().unwrap_or_default().location;
        said.retain(|location| location.leading_comments.is_some());
        for location in &mut said {
            location.span.clear();
            location.leading_detached_comments.clear();
            location.trailing_comments = None;
        }
        let source_code_info = Some(SourceCodeInfo { location: said });
        FileDescriptorProto { name: file.name.clone(), source_code_info, ..FileDescriptorProto::default() }
    });
    FileDescriptorSet { file: file.collect() }
}

/// Every `.proto` file under `dir`, in an order that does not change between builds.
fn protos(dir: PathBuf) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
