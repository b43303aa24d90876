(() => {
  const { origin, asked, service } = document.body.dataset;
  const frame = document.getElementsByTagName("iframe")[0];
  let timer;
  const ask = () => frame.contentWindow.postMessage(asked, origin);
  addEventListener("message", ({ source, origin: from, data }) => {
    if (source !== frame.contentWindow || from !== origin) return;
    if (data !== "changed" && data !== "error") return;
    clearInterval(timer);
    parent.postMessage({ type: "quadrille-session", service, state: data }, location.origin);
  });
  frame.addEventListener("load", () => {
    clearInterval(timer);
    ask();
    timer = setInterval(ask, 3000);
  });
})();
