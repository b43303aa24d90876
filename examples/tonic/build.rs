//! Writes the code of the gRPC service, as it would come from a `.proto` file:
//!
//! ```text
//! package photos;
//! service Photos {
//!   rpc List(ListRequest) returns (Album);
//!   rpc Add(Photo) returns (Album);
//! }
//! ```

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::photos::{input}"))
            .output_type("crate::photos::Album")
            .codec_path("tonic_prost::ProstCodec")
            .build()
    };
    let service = Service::builder()
        .name("Photos")
        .package("photos")
        .method(method("list", "List", "ListRequest"))
        .method(method("add", "Add", "Photo"))
        .build();
    Builder::new().build_transport(false).compile(&[service]);
}
