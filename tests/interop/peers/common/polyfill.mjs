// Promise.withResolvers is in Node 22 and later; current libp2p packages call
// it, and Debian's oldest supported Node for these tests is 20.
Promise.withResolvers ??= function () {
  const result = {}

  result.promise = new Promise((resolve, reject) => {
    Object.assign(result, { resolve, reject })
  })
  return result
}
