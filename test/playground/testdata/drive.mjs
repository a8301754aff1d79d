// Does in Chromium what the test asks for: one JSON command a line on standard
// input, one JSON answer a line on standard output. It ends with its input.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { chromium } = createRequire(`${process.env.KEYTURN_PLAYGROUND}/`)('playwright-core');
const patience = Number(process.env.PATIENCE_MS);

const browser = await chromium.launch({
  executablePath: process.env.KEYTURN_CHROMIUM,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const pages = new Map();

// words is what a person reads on the page, blanks made equal.
const words = () => document.body.innerText.replace(/\s+/g, ' ');

// last is the newest of several things that look the same.
const last = (all) => all.filter({ visible: true }).last();

// settled waits until the client has sent and drawn what it was asked for.
const settled = async (page) => {
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
};

const verbs = {
  async open(_, { window, url }) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1500 } });
    page.setDefaultTimeout(patience);
    pages.set(window, page);
    page.on('console', (m) => m.type() === 'error' && console.error(`${window}: ${m.text()}`));
    page.on('pageerror', (error) => console.error(`${window}: ${error.message}`));
    // The Playground freezes the cards that it keeps, and its own renderer then
    // fails to write into them: buttons of a conversation that is opened again
    // would do nothing.
    await page.addInitScript(() => { Object.freeze = (o) => o; });
    await page.route((u) => u.hostname !== '127.0.0.1', (route) => route.abort()); // fonts
    await page.goto(url, { waitUntil: 'load' });
    await page.getByRole('treeitem', { name: 'Personal Chat' }).waitFor();
  },
  // closes the log beside the conversation: its words are not the bot's.
  async onlyTheChat(page) {
    await page.getByText('Log Panel').waitFor();
    await page.getByText('Log Panel').locator('xpath=ancestor::*[.//button][1]').getByRole('button').last().click();
    await page.getByText('Log Panel').waitFor({ state: 'hidden' });
  },
  async go(page, { place }) {
    await page.getByRole('treeitem', { name: place }).click();
    await page.getByRole('textbox').first().waitFor();
    await settled(page);
  },
  async post(page, { text, bot }) {
    await page.getByRole('textbox').first().click();
    await page.keyboard.type(`@${bot}`, { delay: 20 });
    await page.locator('[role=menu] [role=menuitem]').filter({ hasText: bot }).click();
    await page.keyboard.type(` ${text}`);
    await page.getByRole('button', { name: 'Post', exact: true }).click();
    await page.getByText('Type a message').first().waitFor(); // below the post
    await settled(page);
  },
  async write(page, { text }) {
    await page.locator('[role=textbox][contenteditable=true]').first().click();
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
    await settled(page);
  },
  // A card that is drawn anew at the moment of a click takes no notice of it.
  // So a click counts when the client sent something, and is repeated if not.
  async click(page, { name }) {
    for (let tries = 1; ; tries++) {
      const sent = page.waitForRequest((r) => r.url().includes('/_conversation/v1/'), { timeout: 5000 }).catch(() => null);
      await last(page.getByRole('button', { name, exact: true })).click();
      const request = await sent;
      const response = await request?.response(); // however long the bot takes
      if (response?.ok()) return settled(page);
      if (request || tries === 5) throw new Error(`the click on ${name} had the result: ${response?.status() ?? 'nothing'}`);
    }
  },
  async fill(page, { name, text }) {
    await last(page.getByLabel(name)).fill(text);
  },
  async see(page, { texts, gone }) {
    await page.waitForFunction(({ texts, gone }) => {
      const all = document.body.innerText.replace(/\s+/g, ' ');
      return texts.every((t) => all.includes(t)) && gone.every((t) => !all.includes(t));
    }, { texts: texts ?? [], gone: gone ?? [] }, { polling: 100 });
    return page.evaluate(words);
  },
  async read(page) {
    return page.evaluate(words);
  },
  async shot(page, { file }) {
    await page.mouse.move(0, 0);
    await page.screenshot({ path: file, animations: 'disabled' });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { words: (await verbs[command.do](pages.get(command.window), command)) ?? '' };
  } catch (error) {
    answer = { error: String(error.message ?? error).split('\n')[0] };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
