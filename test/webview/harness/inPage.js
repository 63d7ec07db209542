// Runs in every tested page before its own scripts: the fake host, and what tests ask the page.
(() => {
  const stateKey = `state ${location.pathname}`;
  const posted = [];
  const violations = [];
  document.addEventListener('securitypolicyviolation', event => {
    violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}`);
  });
  let acquired = false;
  globalThis.acquireVsCodeApi = () => {
    if (acquired) throw new Error('acquireVsCodeApi may be called once.');
    acquired = true;
    return {
      postMessage: message => posted.push(structuredClone(message)),
      getState: () => JSON.parse(sessionStorage.getItem(stateKey) ?? 'null') ?? undefined,
      setState: state => sessionStorage.setItem(stateKey, JSON.stringify(state)),
    };
  };
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));

  /** Pixels by way of another canvas: reading a page's own makes the browser warn and move it. */
  const read = (source, left, top, width, height) => {
    const copy = document.createElement('canvas');
    copy.width = width;
    copy.height = height;
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(source, left, top, width, height, 0, 0, width, height);
    return [...context.getImageData(0, 0, width, height).data];
  };

  globalThis.harness = {
    posted,
    violations,
    send: data => dispatchEvent(new MessageEvent('message', { data })),
    settle: async () => {
      await frame();
      await frame();
    },
    untilPosted: async count => {
      while (posted.length < count) await frame();
    },
    /** The text of all live regions. */
    announced: () =>
      [...document.querySelectorAll('[aria-live=polite]')].map(node => node.textContent).join('|'),
    /** Colour of a canvas at (x, y), shares of its size. */
    pixel: (selector, x, y) => {
      const canvas = document.querySelector(selector);
      const left = Math.floor(x * canvas.width);
      const top = Math.floor(y * canvas.height);
      return read(canvas, left, top, 1, 1).slice(0, 3);
    },
    /** All pixels of a small canvas. */
    pixels: selector => {
      const canvas = document.querySelector(selector);
      const { width, height } = canvas;
      return { width, height, data: read(canvas, 0, 0, width, height) };
    },
    /** Drags the training-time slider for a while: frames a second, and the longest frame. */
    dragSlider: async milliseconds => {
      const slider = document.querySelector('.timeline-slider');
      const last = Number(slider.max);
      const start = performance.now();
      let frames = 0;
      let longest = 0;
      let before = start;
      while (performance.now() - start < milliseconds) {
        slider.value = String(frames % (last + 1));
        slider.dispatchEvent(new Event('input'));
        await frame();
        const now = performance.now();
        if (frames > 0) longest = Math.max(longest, now - before);
        before = now;
        frames++;
      }
      return { framesPerSecond: (frames * 1000) / (performance.now() - start), longest };
    },
    /** How wide what is inside is beyond the page. */
    overflow: () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
})();
