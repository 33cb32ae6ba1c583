// Runs while the document is being read: cleans the callback's URL before anything else can see it,
// and loads the app without waiting for the style sheet.
(() => {
  document.documentElement.dataset.script = "";
  const callback = "/callback";
  const redirect = location.search + location.hash;
  if (location.pathname === callback && redirect) {
    self.authorizationResponse = redirect;
    history.replaceState({ authorizationResponse: "taken" }, "", callback);
  }
  const parsed = new Promise((done) => {
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", done, { once: true });
    else done();
  });
  // 'strict-dynamic' trusts an element that a trusted script makes, but not an import of an inline script that is known
  // by its hash. Once the element has loaded the module, the import finds it there.
  const loaded = new Promise((done, failed) => {
    const module = document.createElement("script");
    module.type = "module";
    module.src = JS_ADDRESS;
    module.onload = done;
    module.onerror = () => failed(new Error("the module did not load"));
    document.head.append(module);
  });
  // What is the matter with this browser, for as long as it is: in the page's place for it, which is read aloud when it is filled. An app
  // that has none is told beside its body, which it makes anew.
  const tell = (id, isSo) => {
    const told = document.getElementById(id + "-notice");
    if (!isSo) told?.remove();
    else if (!told) {
      const notice = document.getElementById(id).content.firstElementChild.cloneNode(true);
      notice.id = id + "-notice";
      (document.getElementById("page-notices") ?? document.documentElement).append(notice);
    }
  };
  const look = () => {
    tell("offline", !navigator.onLine);
    tell("no-cookies", !navigator.cookieEnabled);
  };
  addEventListener("offline", look);
  addEventListener("online", look);
  parsed.then(look);
  Promise.all([loaded.then(() => import(JS_ADDRESS)), fetch(WASM_ADDRESS), parsed])
    .then(([app, wasm]) => app.default({ module_or_path: wasm }))
    .then(look)
    .catch((reason) => {
      // Without the places it came through: this script's own is the address that the page had at first.
      console.error(String(reason));
      return parsed.then(() => {
        // The answer was not handed in, so a reload has to find it again.
        if (self.authorizationResponse) history.replaceState(null, "", callback + self.authorizationResponse);
        const message = document.getElementById("not-started").content.firstElementChild;
        message.querySelector("a").href = location.pathname + location.search;
        const main = document.querySelector("main") ?? document.body;
        const loading = document.querySelector("[data-loading]");
        if (loading) {
          // There is nothing else on the page, so this is what it is about.
          const title = document.createElement("h1");
          title.append(...message.firstElementChild.childNodes);
          message.firstElementChild.replaceWith(title);
          document.querySelector("h1")?.remove();
          loading.replaceWith(message);
        } else {
          message.className = "notice notice-problem";
          main.prepend(message);
        }
      });
    });
})();
