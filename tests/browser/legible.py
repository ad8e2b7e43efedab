"""What a page shows too faintly: WCAG 2.2, 1.4.3, measured where the text stands, in light and in dark."""

from playwright.sync_api import Page

#: Texts below 4.5:1 (large ones 3:1) on their own ground. What is disabled may be faint; text over a picture or a
#: gradient has no one ground and is passed over.
_FAINT = """() => {
  const parts = (colour) => {
    const numbers = (/[(](?:srgb )?([^)]+)/.exec(colour) ?? ['', '0 0 0 0'])[1].split(/[ ,/]+/).map(Number)
    const scale = colour.startsWith('color(') ? 255 : 1
    return [...numbers.slice(0, 3).map((value) => value * scale), numbers[3] ?? 1]
  }
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]))
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const faint = new Set()
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim()
    const element = texts.currentNode.parentElement
    const box = element.getBoundingClientRect()
    if (!text || box.width < 2 || box.height < 2 || !element.checkVisibility({ visibilityProperty: true })) continue
    const above = []
    for (let one = element; one; one = one.parentElement) above.push(one)
    if (above.some((one) => one.disabled || getComputedStyle(one).backgroundImage !== 'none')) continue
    const grounds = above.map((one) => parts(getComputedStyle(one).backgroundColor))
    const solid = grounds.findIndex((one) => one[3] === 1)
    const under = grounds.slice(0, solid + 1).reverse().reduce((ground, one) => over(one, ground), [255, 255, 255])
    const style = getComputedStyle(element)
    const ink = parts(style.color)
    ink[3] *= above.reduce((share, one) => share * Number(getComputedStyle(one).opacity), 1)
    const [bright, dim] = [light(over(ink, under)), light(under)].sort((a, b) => b - a)
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700)
    const ratio = (bright + 0.05) / (dim + 0.05)
    if (ratio < (large ? 3 : 4.5) - 0.02) faint.add(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`)
  }
  return [...faint]
}"""  # noqa: E501 - a program of another language


def faint_texts(page: Page) -> list[str]:
    """`scheme ratio: text` of what cannot be read; the page is light again afterwards."""
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme} {one}" for one in page.evaluate(_FAINT)]
    return found
