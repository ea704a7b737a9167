#include "discovery/etcd/gateway.hpp"
#include "discovery/etcd/form.hpp"
#ifdef LOGGIA_CURL
#include <curl/curl.h>
#endif
#include <mutex>

namespace loggia::discovery::etcd {

#ifndef LOGGIA_CURL
bool can_reach_etcd() { return false; }
std::unique_ptr<Gateway> make_gateway() { return nullptr; }
#else

namespace {

constexpr std::size_t answer_max = 4u << 20;
constexpr milliseconds connect_limit{500};

// A type each: to libcurl's headers a CURL and a CURLM are both void.
struct EasyFreed {
  void operator()(CURL* one) const { curl_easy_cleanup(one); }
};
struct MultiFreed {
  void operator()(CURLM* one) const { curl_multi_cleanup(one); }
};
struct ListFreed {
  void operator()(curl_slist* one) const { curl_slist_free_all(one); }
};

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* into) {
  auto& out = *static_cast<std::string*>(into);
  if (out.size() + one * count > answer_max) return 0;
  out.append(bytes, one * count);
  return one * count;
}
int ask_progress(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

class CurlGateway final : public Gateway {
 public:
  CurlGateway() : short_{curl_easy_init()}, long_{curl_easy_init()}, multi_{curl_multi_init()} {
    headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  }

  Result<std::string> post(const std::string& endpoint, const std::string& path, const std::string& body, milliseconds limit) override {
    std::string answer;
    auto* easy = short_.get();
    prepare(easy, endpoint + path, body, answer);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &stopping_);
    const auto code = curl_easy_perform(easy);
    if (code != CURLE_OK) return unreached(endpoint, code);
    return judged(easy, endpoint, std::move(answer));
  }

  Result<bool> watch(const std::string& endpoint, const std::string& body, const std::function<bool(std::string_view)>& line, milliseconds every,
                     const std::function<bool()>& idle) override {
    std::string buffer;
    auto* easy = long_.get();
    prepare(easy, endpoint + "/v3/watch", body, buffer);
    struct Added {
      Added(CURLM* all, CURL* one) : multi{all}, easy{one} { curl_multi_add_handle(multi, easy); }
      ~Added() { curl_multi_remove_handle(multi, easy); }
      CURLM* multi;
      CURL* easy;
    };
    const Added added(multi_.get(), easy);
    while (!stopping_) {
      int running = 0;
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return Error(Errc::unavailable, "the watch broke");
      for (std::size_t end; (end = buffer.find('\n')) != std::string::npos;) {
        const auto one = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        if (!one.empty() && !line(one)) return true;
      }
      if (running == 0) return finished(easy, endpoint, std::move(buffer));
      if (!idle()) return true;
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(every.count()), nullptr);
    }
    return true;
  }

  void stop() override {
    stopping_ = true;
    curl_multi_wakeup(multi_.get());
  }

 private:
  void prepare(CURL* easy, const std::string& url, const std::string& body, std::string& answer) const {
    curl_easy_reset(easy);  // keeps its connections
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // not what http_proxy and its like say
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs does not hold the end up
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_limit.count()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body.c_str());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
  }

  static Error unreached(const std::string& endpoint, CURLcode code) {
    const std::string_view why = code == CURLE_COULDNT_RESOLVE_HOST  ? "its name leads nowhere"
                                 : code == CURLE_COULDNT_CONNECT     ? "nobody listens there"
                                 : code == CURLE_OPERATION_TIMEDOUT  ? "it does not answer in time"
                                 : code == CURLE_ABORTED_BY_CALLBACK ? "this process is stopping"
                                                                     : std::string_view(curl_easy_strerror(code));
    return Error(Errc::unavailable, endpoint + ": " + std::string(why));
  }

  static Result<std::string> judged(CURL* easy, const std::string& endpoint, std::string answer) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return answer;
    const auto complaint = complaint_of(answer);
    // A 404 of etcd itself is a lease; without its words it is somebody else who answers.
    const auto kind = status == 404 && !complaint.empty() ? Errc::not_found
                      : status >= 400 && status < 500     ? Errc::invalid_request
                                                          : Errc::unavailable;
    return Error(kind, endpoint + ": " + (complaint.empty() ? "HTTP " + std::to_string(status) : complaint));
  }

  Result<bool> finished(CURL* easy, const std::string& endpoint, std::string answer) {
    int left = 0;
    const auto* message = curl_multi_info_read(multi_.get(), &left);
    if (message && message->data.result != CURLE_OK) return unreached(endpoint, message->data.result);
    auto said = judged(easy, endpoint, std::move(answer));
    if (!said) return said.error();
    return Error(Errc::unavailable, endpoint + ": the watch ended");
  }

  std::atomic<bool> stopping_{false};
  std::unique_ptr<curl_slist, ListFreed> headers_;
  const std::unique_ptr<CURL, EasyFreed> short_, long_;
  const std::unique_ptr<CURLM, MultiFreed> multi_;
};

}  // namespace

bool can_reach_etcd() { return true; }

std::unique_ptr<Gateway> make_gateway() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_unique<CurlGateway>();
}

#endif

}  // namespace loggia::discovery::etcd
