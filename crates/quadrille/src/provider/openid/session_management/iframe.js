"use strict";
(function () {
  var cookie = document.body.getAttribute("data-cookie") + "=";

  // Browsers may keep the cookies of other sites from frames.
  var blocked = !navigator.cookieEnabled;
  if (document.hasStorageAccess) {
    document.hasStorageAccess().then(function (has) { blocked = !has; }, function () {});
  }

  // The origin of the page with this frame, as far as the browser says it.
  var above = "";
  if (location.ancestorOrigins && location.ancestorOrigins.length) {
    above = location.ancestorOrigins[0];
  } else if (document.referrer) {
    above = new URL(document.referrer).origin;
  }

  function state() {
    var found = document.cookie.split("; ").filter(function (pair) {
      return pair.indexOf(cookie) === 0;
    });
    return found.length ? found[0].slice(cookie.length) : "";
  }

  function hex(hash) {
    return Array.from(new Uint8Array(hash), function (byte) {
      return ("0" + byte.toString(16)).slice(-2);
    }).join("");
  }

  addEventListener("message", function (event) {
    var page = event.source;
    if (!page || parent === self || event.origin === "null") return;
    function answer(word) { page.postMessage(word, event.origin); }

    var text = typeof event.data === "string" ? event.data : "";
    var space = text.lastIndexOf(" ");
    var claimed = text.slice(space + 1);
    var mine = state();
    if (page !== parent && event.origin !== above) return answer("error");
    if (space < 1 || !claimed || !self.crypto || !crypto.subtle) return answer("error");
    // Without a state, "changed" would have the application ask again and again.
    if (!mine) return answer(blocked ? "error" : "changed");

    var salt = claimed.slice(claimed.indexOf(".") + 1);
    var hashed = [text.slice(0, space), event.origin, mine, salt].join(" ");
    crypto.subtle.digest("SHA-256", new TextEncoder().encode(hashed)).then(function (hash) {
      answer(hex(hash) + "." + salt === claimed ? "unchanged" : "changed");
    }, function () { answer("error"); });
  });
})();
