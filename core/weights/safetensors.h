// SPDX-License-Identifier: GPL-3.0-or-later
/// Files in the safetensors format (https://github.com/huggingface/safetensors): 8 bytes little-endian header length, a JSON
/// header {"name": {"dtype", "shape", "data_offsets": [begin, end)}}, then the tensors' bytes.
///
/// The file is mapped; opening it reads the header and no weights. The whole header is checked before anything is used:
///   - its length fits the file's, and all numbers are valid
///   - each tensor's bytes fit its shape and type
///   - the tensors fill the rest of the file without gap or overlap
///   - no name comes twice
#pragma once

#include <memory>
#include <string>

#include "weights/checkpoint.h"

namespace geometry_transfer {

/// Opens a file; throws Error (model) that says what is wrong. The file may hold tensors of other types than F32, F16
/// and BF16 (integer position ids). find() throws Error (model) for such a tensor, and if the file has changed.
std::shared_ptr<const Checkpoint> open_safetensors(const std::string& path);

/// A `*.safetensors.index.json` and the files that it names, all of them beside it. Opens every shard at once.
std::shared_ptr<const Checkpoint> open_sharded_safetensors(const std::string& index_path);

/// Bytes of one number.
inline int dtype_size(DType dtype) { return dtype == DType::f32 ? 4 : 2; }

}  // namespace geometry_transfer
