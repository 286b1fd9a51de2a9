"""A plugin for buf: Python's gRPC services, by the compiler that comes with grpcio-tools.

grpcio-tools brings its generator inside `protoc` and not as a plugin of its own, which is what buf runs; this hands the
request on to it.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def main() -> None:
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    with tempfile.TemporaryDirectory() as folder:
        files, out = Path(folder, "files.bin"), Path(folder, "out")
        files.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        out.mkdir()
        arguments = ["protoc", f"--descriptor_set_in={files}", f"--grpc_python_out={out}", *request.file_to_generate]
        if protoc.main(arguments) != 0:
            response.error = "grpc_tools.protoc failed; what it said is above"
        for made in sorted(path for path in out.rglob("*") if path.is_file()):
            response.file.add(name=str(made.relative_to(out)), content=made.read_text())
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
