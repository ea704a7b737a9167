// libcurl, an easy handle a try, on a small pool. What it says on the way goes to Talk, which keeps no secret; nothing of it is logged.
#include <atomic>
#include <mutex>
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mail.hpp"
#ifdef LOGGIA_CURL
#include <curl/curl.h>
#include "mail/message.hpp"
#include "mail/talk.hpp"
#endif

namespace loggia {

#ifndef LOGGIA_CURL

bool can_send_mail() { return false; }
std::shared_ptr<Mailer> smtp_mailer(SmtpOptions, std::shared_ptr<Shards>) { return nullptr; }

#else

bool can_send_mail() { return true; }

namespace {

using mail::End;
using mail::Talk;
constexpr milliseconds look_again{30000};

/// One try: what libcurl calls back with.
struct Try {
  Talk talk;
  const std::atomic<bool>* stopping = nullptr;
};

int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
  auto& talk = static_cast<Try*>(self)->talk;
  if (type == CURLINFO_HEADER_OUT) talk.said(std::string_view(data, size));
  else if (type == CURLINFO_HEADER_IN) talk.heard(std::string_view(data, size));
  return 0;
}
/// The server's lines once more; here a try can be ended.
std::size_t on_reply(char*, std::size_t size, std::size_t count, void* self) { return static_cast<Try*>(self)->talk.downgraded() ? 0 : size * count; }
std::size_t on_nothing(char*, std::size_t size, std::size_t count, void*) { return size * count; }
int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return *static_cast<Try*>(self)->stopping ? 1 : 0; }

End end_of(CURLcode code) {
  if (code == CURLE_OK) return End::done;
  if (code == CURLE_COULDNT_RESOLVE_HOST) return End::no_host;
  if (code == CURLE_COULDNT_CONNECT) return End::no_connection;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR) return End::no_trust;
  if (code == CURLE_USE_SSL_FAILED) return End::no_tls;
  if (code == CURLE_LOGIN_DENIED) return End::login_refused;
  if (code == CURLE_OPERATION_TIMEDOUT) return End::too_long;
  if (code == CURLE_ABORTED_BY_CALLBACK) return End::stopped;
  return End::broken;
}

struct Freed {
  void operator()(CURL* one) const { curl_easy_cleanup(one); }
  void operator()(curl_slist* one) const { curl_slist_free_all(one); }
  void operator()(curl_mime* one) const { curl_mime_free(one); }
};
using Lines = std::unique_ptr<curl_slist, Freed>;

void add_line(Lines& lines, const std::string& line) {
  // Appending gives the first one back; the list is lost only where there is no memory.
  if (auto* longer = curl_slist_append(lines.get(), line.c_str())) {
    static_cast<void>(lines.release());
    lines.reset(longer);
  }
}
void add_part(curl_mime* body, const std::string& text, const char* type) {
  std::string lines;  // a mail's end in CR LF; a lone LF would be encoded as a character
  for (const char c : text) {
    if (c == '\n') lines += '\r';
    if (c != '\r') lines += c;
  }
  auto* part = curl_mime_addpart(body);
  curl_mime_data(part, lines.data(), lines.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

class SmtpMailer final : public Mailer {
 public:
  SmtpMailer(SmtpOptions options, std::shared_ptr<Shards> shards)
      : options_{std::move(options)}, shards_{std::move(shards)}, pool_{options_.threads, options_.queue, "mail"} {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }
  ~SmtpMailer() override { stop(); }

  boost::asio::awaitable<Delivery> send(Mail mail) override {
    std::function<Delivery()> work = [this, mail = std::move(mail), asked = clock_->moment()] {
      return clock_->moment() - asked <= options_.turn_timeout ? attempt(&mail) : too_late();
    };
    auto done = co_await pool_.run(std::move(work));
    if (done) co_return std::move(*done);
    Delivery busy;
    busy.why = done.error().detail;
    co_return busy;
  }

  std::string trouble() const override {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

  void stop() override {
    stopping_ = true;
    tasks_.cancel();
    tasks_.wait(milliseconds(3000));
  }

 protected:
  void watch_over() override { tasks_.spawn(shards_->executor(0), "mail.watch", watch()); }

 private:
  boost::asio::awaitable<void> watch() {
    for (bool first = true;; first = false) {
      if (first || !trouble().empty()) {
        std::function<Delivery()> work = [this] { return attempt(nullptr); };
        co_await pool_.run(std::move(work));  // what came of it is kept by remember()
      }
      auto waited = co_await sleep_for(look_again);
      if (!waited) co_return;
    }
  }

  static Delivery too_late() {
    Delivery out;
    out.why = "the mails before this one took too long";
    return out;
  }

  /// Sends, or without a mail connects, signs in and says NOOP.
  Delivery attempt(const Mail* mail) {
    if (mail && !is_mail_address(mail->to)) {
      Delivery out;
      out.how = Delivery::How::refused;
      out.why = "this is no mail address";
      return out;
    }
    Try state;
    state.stopping = &stopping_;
    const std::unique_ptr<CURL, Freed> handle(curl_easy_init());
    auto* easy = handle.get();
    configure(easy, state);
    Lines headers, recipients;
    std::unique_ptr<curl_mime, Freed> body;
    if (mail) {
      for (const auto& line : mail::headers_of(*mail, options_.server)) add_line(headers, line);
      add_line(headers, "Content-Type: multipart/alternative");
      add_line(recipients, mail->to);
      body.reset(curl_mime_init(easy));
      add_part(body.get(), mail->text, "text/plain; charset=utf-8");
      add_part(body.get(), mail->html, "text/html; charset=utf-8");
      curl_easy_setopt(easy, CURLOPT_MAIL_FROM, options_.server.sender.c_str());
      curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
      curl_easy_setopt(easy, CURLOPT_MIMEPOST, body.get());
    } else {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "NOOP");
    }
    const auto end = end_of(curl_easy_perform(easy));
    auto out = state.talk.judge(end, options_.server, mail ? mail->to : std::string());
    if (end != End::stopped) remember(out);
    return out;
  }

  void configure(CURL* easy, Try& state) const {
    const auto& server = options_.server;
    const bool six = server.host.find(':') != std::string::npos;
    // The path is what we call ourselves in EHLO.
    const auto url = std::string(server.tls_from_start ? "smtps://" : "smtp://") + (six ? "[" + server.host + "]" : server.host) + ':' +
                     std::to_string(server.port) + '/' + server.sender_domain();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // not what http_proxy and its like say
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs does not hold the end up
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.try_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.trusted.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.trusted.c_str());
    curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(server.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (!server.user.empty()) {
      curl_easy_setopt(easy, CURLOPT_USERNAME, server.user.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, server.password.c_str());
      // Under TLS these say enough; a user with an @ would be tried with Kerberos first where a server offers it.
      curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
    }
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);  // or on_debug hears nothing
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &state);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &state);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_nothing);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &state);
  }

  /// Told once as it begins and once as it ends.
  void remember(const Delivery& delivery) {
    const bool away = delivery.how == Delivery::How::away;
    bool changed = false;
    {
      const std::lock_guard lock(mutex_);
      changed = away ? trouble_ != delivery.why : !trouble_.empty();
      trouble_ = away ? delivery.why : std::string();
    }
    if (changed && away) log::warn("mail.server_away", Field("why", delivery.why));
    else if (changed) log::info("mail.server_back");
  }

  const SmtpOptions options_;
  const std::shared_ptr<Shards> shards_;
  const std::unique_ptr<Clock> clock_ = system_clock();
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string trouble_;
  WorkerPool pool_;  // its threads use what is above
  Tasks tasks_;
};

}  // namespace

std::shared_ptr<Mailer> smtp_mailer(SmtpOptions options, std::shared_ptr<Shards> shards) {
  return std::make_shared<SmtpMailer>(std::move(options), std::move(shards));
}

#endif

}  // namespace loggia
