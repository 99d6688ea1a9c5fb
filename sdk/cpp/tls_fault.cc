#include "sdk/cpp/tls_fault.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace dray::detail {
namespace {

using base::Error;

// A certificate may have hundreds of names, and comes from a stranger.
constexpr size_t kShownBytesMax = 200;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

// What `print` writes to OpenSSL's kind of stream.
template <typename Print>
std::string printed(Print print) {
  const std::unique_ptr<BIO, FreeBio> out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  print(out.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  std::string text(data, size > 0 ? static_cast<size_t>(size) : 0);
  if (text.size() > kShownBytesMax) text.replace(kShownBytesMax, std::string::npos, "…");
  return text;
}

std::string text_of(const X509_NAME* name) {
  return printed([&](BIO* out) { X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253); });
}

std::string text_of(const ASN1_TIME* time) {
  return printed([&](BIO* out) { ASN1_TIME_print(out, time); });
}

std::string names_of(const X509* certificate) {
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at < 0) return {};
  return printed([&](BIO* out) { X509V3_EXT_print(out, X509_get_ext(certificate, at), 0, 0); });
}

std::string_view reason_of(unsigned long code) {
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "no reason is known";
}

// Of what is set wrongly here, as far as one can see from here.
Error wrong(std::string_view field, std::string_view message) {
  return Error{base::ErrorCode::kBadReq, fmt::format("field={} {}", field, message)};
}

// The server's word that it is not content with what we showed.
bool is_about_our_certificate(int reason) {
  switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:  // tidy: allow word because OpenSSL calls it so
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return true;
    default:
      return false;
  }
}

}  // namespace

int keep_bad_certificate(int is_good, X509_STORE_CTX* check) {
  if (is_good == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const peer = static_cast<Peer*>(SSL_get_app_data(ssl));
  peer->bad.fault = X509_STORE_CTX_get_error(check);
  const X509* const certificate = X509_STORE_CTX_get_current_cert(check);
  if (certificate == nullptr) return 0;
  peer->bad.subject = text_of(X509_get_subject_name(certificate));
  peer->bad.issuer = text_of(X509_get_issuer_name(certificate));
  peer->bad.names = names_of(certificate);
  peer->bad.begin = text_of(X509_get0_notBefore(certificate));
  peer->bad.end = text_of(X509_get0_notAfter(certificate));
  return 0;
}

Error certificate_fault(const Peer& peer) {
  const BadCertificate& bad = peer.bad;
  switch (bad.fault) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return wrong(
          "tls.server_name",
          fmt::format("the server's certificate is for {}, not for {}: put a name of it into the "
                      "URL, or say which one is meant (tls.server_name or DRAY_TLS_NAME)",
                      bad.names.empty() ? "no host at all (it has no subjectAltName)" : bad.names,
                      peer.name));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return wrong(
          "tls.ca_file",
          fmt::format("the server's certificate ({}) is signed by itself, which proves nothing: if "
                      "it is the right one, give it as the CA (tls.ca_file or DRAY_TLS_CA)",
                      bad.subject));
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return wrong("tls.ca_file",
                   fmt::format("the server's certificate is signed by {}, which is not trusted "
                               "here: if it is the right one, give the certificate of that "
                               "authority as the CA (tls.ca_file or DRAY_TLS_CA)",
                               bad.issuer));
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return wrong("url",
                   fmt::format("the server's certificate ({}) has expired on {}: it has to be "
                               "renewed there, unless the clock here is wrong",
                               bad.subject, bad.end));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return wrong("url",
                   fmt::format("the server's certificate ({}) is not valid before {}: is the "
                               "clock here right?",
                               bad.subject, bad.begin));
    default:
      return wrong("url", fmt::format("the server's certificate ({}) cannot be trusted: {}",
                                      bad.subject, X509_verify_cert_error_string(bad.fault)));
  }
}

Error tls_fault(const Peer& peer, unsigned long code) {
  const std::string_view reason = reason_of(code);
  const int number = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  if (is_about_our_certificate(number)) {
    if (!peer.shows_own) {
      return wrong("tls.cert_file",
                   "the server wants to see a certificate: give one with its key (tls.cert_file "
                   "and tls.key_file, or DRAY_TLS_CERT and DRAY_TLS_KEY)");
    }
    return wrong("tls.cert_file",
                 fmt::format("the server does not accept our certificate ({}): it has to be of the "
                             "authority that the server knows, and not expired",
                             reason));
  }
  if (number == SSL_R_WRONG_VERSION_NUMBER || number == SSL_R_HTTP_REQUEST) {
    return wrong("url", "this port does not speak TLS: if it is the right one, use dray://");
  }
  if (number == SSL_R_UNSUPPORTED_PROTOCOL || number == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
    return wrong("url", "the server does not speak TLS 1.2 or later");
  }
  return Error{base::ErrorCode::kIo, fmt::format("TLS with the server failed: {}", reason)};
}

}  // namespace dray::detail
