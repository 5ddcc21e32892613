// Plays every <video data-hls="playlist"> by hls.js if it runs, because native HLS has known gaps; else natively.
// The library's player is the property `hls` of the element, for scripts that need more of it.
const NOT_LOADED = "The recording cannot be loaded. Its files may be gone, or this page may not reach them.";
const NOT_PLAYED = "The recording cannot be played: its files are damaged, or this browser does not know their format.";
const NO_HLS = "This browser cannot play HLS.";
// The first picture needs one small segment; more is loaded when playback starts.
const WAITING = { maxBufferLength: 4, maxMaxBufferLength: 8 };
const PLAYING = { maxBufferLength: 30, maxMaxBufferLength: 120 };
const OPTIONS = { startLevel: 0, startFragPrefetch: true, capLevelToPlayerSize: true, backBufferLength: 60, ...WAITING };

function showError(video, sentence) {
  const place = video.parentElement.querySelector(".player-error");
  place.textContent = sentence;
  place.hidden = false;
  // An empty player would show that it is loading forever.
  video.hidden = video.readyState === 0;
}

function playByLibrary(video) {
  const player = new Hls(OPTIONS);
  let recovered = false;
  player.on(Hls.Events.ERROR, function (_, problem) {
    if (!problem.fatal) {
      return;
    }
    if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true;
      player.recoverMediaError();
      return;
    }
    player.destroy();
    showError(video, problem.type === Hls.ErrorTypes.NETWORK_ERROR ? NOT_LOADED : NOT_PLAYED);
  });
  video.addEventListener("play", function () {
    Object.assign(player.config, PLAYING);
  }, { once: true });
  player.loadSource(video.dataset.hls);
  player.attachMedia(video);
  video.hls = player;
}

function playNatively(video) {
  video.addEventListener("error", function () {
    const damaged = video.error && video.error.code === MediaError.MEDIA_ERR_DECODE;
    showError(video, damaged ? NOT_PLAYED : NOT_LOADED);
  });
  video.src = video.dataset.hls;
}

function start(video) {
  if (window.Hls && Hls.isSupported()) {
    playByLibrary(video);
  } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
    playNatively(video);
  } else {
    showError(video, NO_HLS);
  }
}

document.querySelectorAll("video[data-hls]").forEach(start);
