//! Generates the dispatch of RPCs by name from the service descriptors inside the pinned `temporalio-protos` crate, and
//! tells the code which version of Core is locked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;
use prost_types::FileDescriptorSet;

/// The services of a client: the name Python gives them, and their name in the protos.
const SERVICES: [(&str, &str); 5] = [
    ("workflow", "temporal.api.workflowservice.v1.WorkflowService"),
    ("operator", "temporal.api.operatorservice.v1.OperatorService"),
    ("cloud", "temporal.api.cloud.cloudservice.v1.CloudService"),
    ("test", "temporal.api.testservice.v1.TestService"),
    ("health", "grpc.health.v1.Health"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH");
    let path = env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH").expect("temporalio-protos publishes its descriptors");
    let descriptors = fs::read(path).expect("the descriptor file is readable");
    let descriptors =
        FileDescriptorSet::decode(descriptors.as_slice()).expect("the descriptor file is a FileDescriptorSet");
    let output = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("rpc_dispatch.rs");
    fs::write(output, dispatch(&unary_methods(&descriptors))).expect("OUT_DIR is writable");
    println!("cargo::rustc-env=LOCKED_CORE_VERSION={}", locked_version("temporalio-sdk-core"));
}

/// The version of a crate that `Cargo.lock` names, which is the one that is built.
fn locked_version(name: &str) -> String {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let lock = package.ancestors().map(|folder| folder.join("Cargo.lock")).find(|file| file.is_file());
    let lock = lock.expect("Cargo.lock is in the workspace's folder");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = fs::read_to_string(lock).expect("Cargo.lock is readable");
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = {name:?}")).skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = "));
    version.unwrap_or_else(|| panic!("Cargo.lock has no version of {name}")).trim_matches('"').to_owned()
}

/// Method names by full service name; streaming methods are left out.
fn unary_methods(descriptors: &FileDescriptorSet) -> BTreeMap<String, Vec<String>> {
    let mut methods = BTreeMap::new();
    for file in &descriptors.file {
        for service in &file.service {
            let unary = service.method.iter().filter(|method| !method.server_streaming() && !method.client_streaming());
            let names = unary.map(|method| snake_case(method.name())).collect();
            methods.insert(format!("{}.{}", file.package(), service.name()), names);
        }
    }
    methods
}

fn dispatch(methods: &BTreeMap<String, Vec<String>>) -> String {
    let mut code = String::from("match (service.as_str(), rpc.as_str()) {\n");
    for (service, proto) in SERVICES {
        let methods = methods.get(proto).unwrap_or_else(|| panic!("the descriptors lack {proto}"));
        for rpc in methods {
            let call =
                format!("unary(connection.{service}_service(), call, |service, request| service.{rpc}(request))");
            code.push_str(&format!("({service:?}, {rpc:?}) => {call},\n"));
        }
    }
    code.push_str("_ => Err(Error::InvalidArgument(format!(\"no RPC {rpc:?} in service {service:?}\"))),\n}\n");
    code
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, character) in name.char_indices() {
        if character.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}
