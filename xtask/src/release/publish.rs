//! How what was made is published: said, not done.

use std::path::Path;

use super::VERSION;

/// Each thing that is published, and the command that does it, in the folder of the release.
const STEPS: [(&str, &str); 8] = [
    (
        "the tags; Go takes its module from the second one",
        "git tag -s v{V} && git tag -s sdk/go/v{V} && git push --tags",
    ),
    (
        "the program, and what is in it",
        "highstreet-{V}-x86_64-unknown-linux-musl.tar.gz, highstreet-{V}.cdx.json, SHA256SUMS: the release page of the tag",
    ),
    ("the image", "skopeo copy --all oci-archive:highstreet-{V}-image.oci.tar docker://REGISTRY/highstreet:{V}"),
    (
        "the charts",
        "helm push context-{V}.tgz oci://REGISTRY/charts && helm push highstreet-{V}.tgz oci://REGISTRY/charts",
    ),
    ("TypeScript", "npm publish highstreet-client-{V}.tgz --access public"),
    ("Python", "twine upload highstreet_client-{V}*"),
    ("Java", "mvn deploy:deploy-file -Dfile=highstreet-client-{V}.jar -DpomFile=sdk/java/pom.xml -Durl=REPOSITORY"),
    ("Rust", "nothing: whoever wants the client names the tag v{V} in git"),
];

/// Prints what is to be done.
pub(super) fn tell(folder: Option<&Path>) -> Result<(), String> {
    match folder {
        Some(folder) => println!("version {VERSION} is in {}. To publish it:", folder.display()),
        None => println!("version {VERSION}, once `cargo xtask release` has made it, is published so:"),
    }
    for (what, how) in STEPS {
        println!("  {what}\n    {}", how.replace("{V}", VERSION));
    }
    Ok(())
}
