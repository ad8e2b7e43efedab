declare module 'virtual:words-zh' {
  const book: Record<string, string>
  export default book
}
declare module 'virtual:words-zh-rest' {
  const book: Record<string, string>
  export default book
}
declare module 'virtual:words-en-rest' {
  const book: Record<string, string>
  export default book
}
declare module 'virtual:words-en' {
  const book: Record<string, string>
  export default book
}
