// The page of a live channel: asks for the state of its stream, less and less often, and loads the page again when the
// stream has begun or ended, for the page says which. A stream that is interrupted is loaded again.
const DELAYS = [2, 4, 8, 15, 30, 60];
// The last delay is repeated: two hours.
const MOST = 120;

const panel = document.querySelector("[data-live]");
const video = panel.querySelector("video");
const error = panel.querySelector(".player-error");
const wasLive = Boolean(panel.dataset.isLive);
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
  if (document.hidden) {
    wait();
    return;
  }
  if (await isLive() !== wasLive) {
    location.reload();
  } else if (wasLive) {
    video.ivsvod.begin();
    video.play().catch(() => {});
  } else {
    wait();
  }
}

function wait() {
  if (tries === MOST) {
    if (wasLive) {
      say(panel.dataset.givenUp);
    }
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(look, 1000 * DELAYS[Math.min(tries, DELAYS.length - 1)]);
  tries += 1;
}

if (video?.ivsvod && wasLive) {
  video.addEventListener("ivsvod:failed", function (event) {
    event.preventDefault();
    say(panel.dataset.interrupted);
    wait();
  });
  video.addEventListener("ended", wait);
  video.addEventListener("playing", function () {
    tries = 0;
    say("");
  });
} else if (!wasLive) {
  wait();
}
