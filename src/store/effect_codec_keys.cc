// Effects on keys as bytes.
#include "store/effect_parts.h"

namespace store {
namespace {

constexpr uint64_t kKeyClockMax = static_cast<uint64_t>(core::KeyExpiry::Clock::kWall);
constexpr uint64_t kKeyEndMsMax = INT64_MAX / 2;  // So that clocks can be taken from it.

void write_expiry(ByteWriter& out, const core::KeyExpiry& expiry) {
  out.byte(static_cast<uint8_t>(expiry.clock));
  if (expiry.is_set()) out.number(static_cast<uint64_t>(expiry.ms));
}

std::string_view read_key_name(ByteReader& in) {
  const std::string_view name = in.text();
  if (name.empty()) in.fail();
  return name;
}

core::KeyExpiry read_expiry(ByteReader& in) {
  core::KeyExpiry expiry;
  expiry.clock = read_enum<core::KeyExpiry::Clock>(in, kKeyClockMax);
  if (expiry.is_set()) expiry.ms = static_cast<int64_t>(in.bounded(kKeyEndMsMax));
  return expiry;
}

}  // namespace

void write(ByteWriter& out, const core::KeyPut& put) {
  write_tag(out, EffectTag::kKeyPut);
  out.text(put.name);
  out.text(put.value);
  write_expiry(out, put.expiry);
}

void write(ByteWriter& out, const core::KeyRemoved& removed) {
  write_tag(out, EffectTag::kKeyRemoved);
  out.text(removed.name);
}

void write(ByteWriter& out, const core::KeyExpiryPut& put) {
  write_tag(out, EffectTag::kKeyExpiryPut);
  out.text(put.name);
  write_expiry(out, put.expiry);
}

void write(ByteWriter& out, const core::HashFieldPut& put) {
  write_tag(out, EffectTag::kHashFieldPut);
  out.text(put.name);
  out.text(put.field);
  out.text(put.value);
}

void write(ByteWriter& out, const core::HashFieldRemoved& removed) {
  write_tag(out, EffectTag::kHashFieldRemoved);
  out.text(removed.name);
  out.text(removed.field);
}

core::Effect read_key_put(ByteReader& in) {
  core::KeyPut put;
  put.name = read_key_name(in);
  put.value = in.text();
  put.expiry = read_expiry(in);
  return put;
}

core::Effect read_key_expiry_put(ByteReader& in) {
  core::KeyExpiryPut put;
  put.name = read_key_name(in);
  put.expiry = read_expiry(in);
  return put;
}

core::Effect read_hash_field_put(ByteReader& in) {
  core::HashFieldPut put;
  put.name = read_key_name(in);
  put.field = in.text();
  put.value = in.text();
  return put;
}

core::Effect read_hash_field_removed(ByteReader& in) {
  core::HashFieldRemoved removed;
  removed.name = read_key_name(in);
  removed.field = in.text();
  return removed;
}

}  // namespace store
