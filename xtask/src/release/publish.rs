//! How what was made is published: said, not done.

use std::path::Path;

use super::VERSION;

/// Each thing that is published, and the command that does it, in the folder of the release.
const STEPS: [(&str, &str); 9] = [
    ("the tag", "git tag --sign v{V} && git push origin v{V}"),
    (
        "the program, and what is in it",
        "to the release page of the tag: highstreet-{V}-*.tar.gz, *.cdx.json, SHA256SUMS",
    ),
    ("the image", "skopeo copy oci-archive:highstreet-{V}-image.oci.tar docker://REGISTRY/highstreet:{V}"),
    ("the charts", "for chart in context highstreet; do helm push $chart-{V}.tgz oci://REGISTRY/charts; done"),
    ("TypeScript", "npm publish highstreet-client-{V}.tgz --access public"),
    ("Python", "twine upload highstreet_client-{V}*"),
    ("Java", "mvn deploy:deploy-file -Dfile=highstreet-client-{V}.jar -DpomFile=sdk/java/pom.xml -Durl=REPOSITORY"),
    (
        "Go",
        "unpack highstreet-client-go-{V}.tar.gz in the repository of highstreet.dev/client, commit, and tag that v{V}",
    ),
    ("Rust", "nothing: whoever wants the client names the tag v{V} in git"),
];

/// Prints what is to be done.
pub(super) fn tell(folder: Option<&Path>) {
    match folder {
        Some(folder) => println!("version {VERSION} is in {}. To publish it:", folder.display()),
        None => println!("version {VERSION}, once `cargo xtask release` has made it, is published so:"),
    }
    for (what, how) in STEPS {
        println!("  {what}\n    {}", how.replace("{V}", VERSION));
    }
}
