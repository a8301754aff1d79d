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

const verbs = {
  async open(_, { window, url }) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1500 } });
    page.setDefaultTimeout(patience);
    pages.set(window, page);
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
  },
  async post(page, { text, bot }) {
    await page.getByRole('textbox').first().click();
    await page.keyboard.type(`@${bot}`, { delay: 20 });
    await page.locator('[role=menu] [role=menuitem]').filter({ hasText: bot }).click();
    await page.keyboard.type(` ${text}`);
    await page.getByRole('button', { name: 'Post', exact: true }).click();
  },
  async write(page, { text }) {
    await page.locator('[role=textbox][contenteditable=true]').first().click();
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  },
  async click(page, { name }) {
    await last(page.getByRole('button', { name, exact: true })).click();
  },
  async fill(page, { name, text }) {
    await last(page.getByLabel(name)).fill(text);
  },
  async see(page, { texts, gone }) {
    await page.waitForFunction(({ texts, gone }) => {
      const all = document.body.innerText.replace(/\s+/g, ' ');
      return texts.every((t) => all.includes(t)) && gone.every((t) => !all.includes(t));
    }, { texts, gone: gone ?? [] }, { polling: 100 });
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
