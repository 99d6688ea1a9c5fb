// An operation with its query, as bytes of an effect, and back.
#pragma once

#include "core/operations.h"
#include "store/bytes.h"

namespace store {

void encode_operation(ByteWriter& out, const core::Operation& operation);
// A reader that fails says that the bytes are none.
core::Operation decode_operation(ByteReader& in);

}  // namespace store
