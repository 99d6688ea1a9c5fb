// Certificates for tests, made when they are needed.
#pragma once
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace sdk_test {

struct CertificateWish {
  std::string subject = "server";
  std::string names = "DNS:localhost,IP:127.0.0.1";  // Empty: for no host.
  long begin_s = -3'600;                             // From now.
  long end_s = 24 * 3'600;
  bool is_authority = false;
};

class Certificate {
 public:
  // Signed by `issuer`; null: by itself. Throws std::runtime_error.
  explicit Certificate(const CertificateWish& wish, const Certificate* issuer = nullptr);

  // Write it, and its key, as PEM; the key with mode 0600.
  void save(const std::string& path) const;
  void save_key(const std::string& path) const;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  void name(const std::string& subject, const Certificate* issuer);
  void add(int extension, const std::string& value);

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace sdk_test
