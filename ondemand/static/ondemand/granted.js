// Plays what the page may not name: the URL of a playback grant in the fragment, `#grant=` and the encoded URL.
// A fragment is in no log and in no Referer header. Only a grant of this service or a live stream of IVS is played.
const LIVE_HOST = /\.live-video\.net$/;

function grantedUrl() {
  const text = new URLSearchParams(location.hash.slice(1)).get("grant");
  if (!text) {
    return null;
  }
  let url;
  try {
    url = new URL(text, location.origin);
  } catch {
    return null;
  }
  const isOwn = url.origin === location.origin && url.pathname.startsWith("/play/g/");
  const isLive = url.protocol === "https:" && LIVE_HOST.test(url.hostname);
  return isOwn || isLive ? url.href : null;
}

const url = grantedUrl();
const video = document.querySelector("video[data-granted]");
if (url && video) {
  video.dataset.hls = url;
  video.hidden = false;
  document.querySelector(".player-empty").hidden = true;
}
// Another link may be opened in the same tab.
addEventListener("hashchange", function () {
  location.reload();
});
