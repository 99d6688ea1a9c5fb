#include "tests/sdk_cpp/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <stdexcept>

#include "base/random.h"

namespace sdk_test {
namespace {

void need(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("no certificate: ") + what);
}

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

File create(const std::string& path, mode_t mode) {
  File file(std::fopen(path.c_str(), "w"));
  need(file != nullptr && chmod(path.c_str(), mode) == 0, "the file cannot be written");
  return file;
}

}  // namespace

Certificate::Certificate(const CertificateWish& wish, const Certificate* issuer)
    : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  need(key_ && certificate_, "memory");
  X509* const raw = certificate_.get();
  base::SystemRandom random;
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), random.next() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(raw), wish.begin_s);
  X509_gmtime_adj(X509_getm_notAfter(raw), wish.end_s);
  X509_set_pubkey(raw, key_.get());
  name(wish.subject, issuer);
  if (wish.is_authority) add(NID_basic_constraints, "critical,CA:TRUE");
  if (!wish.names.empty()) add(NID_subject_alt_name, wish.names);
  EVP_PKEY* const signer = issuer != nullptr ? issuer->key_.get() : key_.get();
  need(X509_sign(raw, signer, EVP_sha256()) > 0, "its signature");
}

void Certificate::name(const std::string& subject, const Certificate* issuer) {
  X509_NAME* const own = X509_get_subject_name(certificate_.get());
  X509_NAME_add_entry_by_txt(own, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate_.get(),
                       issuer != nullptr ? X509_get_subject_name(issuer->certificate_.get()) : own);
}

void Certificate::add(int extension, const std::string& value) {
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  need(made != nullptr, value.c_str());
  X509_add_ext(certificate_.get(), made, -1);
  X509_EXTENSION_free(made);
}

void Certificate::save(const std::string& path) const {
  need(PEM_write_X509(create(path, 0644).get(), certificate_.get()) == 1, "PEM");
}

void Certificate::save_key(const std::string& path) const {
  need(PEM_write_PrivateKey(create(path, 0600).get(), key_.get(), nullptr, nullptr, 0, nullptr,
                            nullptr) == 1,
       "PEM of the key");
}

}  // namespace sdk_test
