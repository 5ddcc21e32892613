// The page of a live channel: asks for the state of its stream, less and less often, and loads the page again when the
// stream has begun or ended, for the page says which. A stream that is interrupted is loaded again.
import { begin } from "../ondemand/player.js";

const DELAYS = [2, 4, 8, 15, 30, 60];
// The last delay is repeated: two hours.
const MOST = 120;

const panel = document.querySelector("[data-live]");
const video = panel.querySelector("video");
const error = panel.querySelector(".player-error");
const wasLive = Boolean(panel.dataset.isLive);
let isInterrupted = false;
let tries = 0;
let timer = 0;

function say(sentence) {
  error.textContent = sentence;
  error.hidden = !sentence;
}

async function isLive() {
  try {
    const answer = await fetch(panel.dataset.live);
    return answer.ok ? (await answer.json()).state === "live" : wasLive;
  } catch {
    // No connection: the next try may have one.
    return wasLive;
  }
}

async function look() {
  const isPlaying = video && !video.paused && !video.ended && !isInterrupted;
  if (document.hidden || isPlaying) {
    tries = isPlaying ? 0 : tries;
    wait();
    return;
  }
  if (await isLive() !== wasLive) {
    location.reload();
    return;
  }
  if (isInterrupted) {
    isInterrupted = false;
    begin(video);
    video.play().catch(() => {});
  }
  wait();
}

function wait() {
  clearTimeout(timer);
  if (tries === MOST) {
    if (isInterrupted) {
      say(panel.dataset.givenUp);
    }
    return;
  }
  timer = setTimeout(look, 1000 * DELAYS[Math.min(tries, DELAYS.length - 1)]);
  tries += 1;
}

if (video?.dataset.hls && wasLive) {
  video.addEventListener("ivsvod:failed", function (event) {
    event.preventDefault();
    say(panel.dataset.interrupted);
    isInterrupted = true;
    wait();
  });
  video.addEventListener("ended", function () {
    isInterrupted = true;
    wait();
  });
  video.addEventListener("playing", () => say(""));
}
wait();
