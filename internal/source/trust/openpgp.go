package trust

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"profilesync/internal/source/repository"
)

// keyring is what openpgp files hold together.
type keyring struct{ keys openpgp.EntityList }

// blockBegin begins a key in armor. A file may hold many, with any text around them.
const blockBegin = "-----BEGIN PGP "

// add reads the keys of one file. go-crypto reads the first armored block of a
// file only, so the blocks are found here.
func (k *keyring) add(content []byte) error {
	at := bytes.Index(content, []byte(blockBegin))
	if at < 0 {
		return k.addPackets(bytes.NewReader(content))
	}
	for at >= 0 {
		content = content[at:]
		next := bytes.Index(content[len(blockBegin):], []byte("\n"+blockBegin))
		block := content
		if next >= 0 {
			next += len(blockBegin) + 1
			block = content[:next]
		}
		if err := k.addBlock(block); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (k *keyring) addBlock(text []byte) error {
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("armor: %w", err)
	}
	if block.Type != openpgp.PublicKeyType {
		return fmt.Errorf("armor of a %q, not of a public key", repository.Printable(block.Type))
	}
	return k.addPackets(block.Body)
}

func (k *keyring) addPackets(packets io.Reader) error {
	keys, err := openpgp.ReadKeyRing(packets)
	if err != nil {
		return errors.New(repository.Printable(err.Error()))
	}
	if len(keys) == 0 {
		return errors.New("no key in it")
	}
	for _, key := range keys {
		if key.PrivateKey != nil {
			return fmt.Errorf("key %X is a private key: export the public one", key.PrimaryKey.Fingerprint)
		}
		if self, _ := key.PrimarySelfSignature(); self == nil {
			return fmt.Errorf("key %X has no user id that it has signed", key.PrimaryKey.Fingerprint)
		}
	}
	k.keys = append(k.keys, keys...)
	return nil
}

// maxSkew is how far ahead of ours the clock of a signer may be.
const maxSkew = 10 * time.Minute

// verify checks a signature in armor.
func (k keyring) verify(s signed, now time.Time) (Signature, error) {
	packets, sig, err := onlySignature(s.signature)
	if err != nil {
		return Signature{}, err
	}
	if sig.SigType != packet.SigTypeBinary {
		return Signature{}, fmt.Errorf("%w: OpenPGP signature of type %#x, not over bytes", ErrUnsupported, byte(sig.SigType))
	}
	if sig.IssuerKeyId == nil {
		return Signature{}, fmt.Errorf("%w: OpenPGP signature that does not name its key", ErrUnsupported)
	}
	if sig.CreationTime.After(now) && sig.CreationTime.Before(now.Add(maxSkew)) {
		now = sig.CreationTime
	}
	candidates := k.keys.KeysById(*sig.IssuerKeyId)
	if len(candidates) == 0 {
		return Signature{}, fmt.Errorf("%w: %s", ErrUnknownKey, issuer(sig))
	}
	for _, key := range candidates { // several, when two keys share the 64 bits of an id
		var found Signature
		if found, err = verifyWith(key, s.payload, packets, sig, now); err == nil {
			return found, nil
		}
	}
	return Signature{}, err
}

// onlySignature decodes an armored signature, which must be one and alone.
func onlySignature(text []byte) ([]byte, *packet.Signature, error) {
	const end = "-----END PGP SIGNATURE-----"
	if after := bytes.Index(text, []byte(end)); after >= 0 && len(bytes.TrimSpace(text[after+len(end):])) > 0 {
		return nil, nil, fmt.Errorf("%w: there is text behind the signature", ErrBad)
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, nil, damagedSignature(err)
	}
	content, err := io.ReadAll(block.Body) // within the size of an object
	if err != nil {
		return nil, nil, damagedSignature(err)
	}
	packets := packet.NewReader(bytes.NewReader(content))
	var found *packet.Signature
	for {
		p, err := packets.NextWithUnsupported()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, damagedSignature(err)
		}
		if unsupported, is := p.(*packet.UnsupportedPacket); is {
			return nil, nil, fmt.Errorf("%w: %s", ErrUnsupported, repository.Printable(unsupported.Error.Error()))
		}
		sig, is := p.(*packet.Signature)
		switch {
		case !is:
			return nil, nil, fmt.Errorf("%w: it holds something else beside a signature", ErrBad)
		case found != nil:
			return nil, nil, fmt.Errorf("%w: in one armor", ErrSeveral)
		}
		found = sig
	}
	if found == nil {
		return nil, nil, fmt.Errorf("%w: its armor is empty", ErrBad)
	}
	return content, found, nil
}

func damagedSignature(err error) error {
	return fmt.Errorf("%w: it cannot be read: %s", ErrBad, repository.Printable(err.Error()))
}

// verifyWith checks a signature with the key that it names. Only if it is good
// does it count what else may be wrong: the name of an expired key proves nothing by itself.
func verifyWith(key openpgp.Key, payload, packets []byte, sig *packet.Signature, now time.Time) (Signature, error) {
	who := owner(key)
	named := fmt.Sprintf("key %X of %q", key.PublicKey.Fingerprint, who)
	if err := strength(key, sig); err != nil {
		return Signature{}, fmt.Errorf("%w: %s: %w", ErrWeak, named, err)
	}
	one := openpgp.EntityList{key.Entity}
	if len(one.KeysByIdUsage(key.PublicKey.KeyId, packet.KeyFlagSign)) == 0 {
		return Signature{}, fmt.Errorf("%w: %s is not a key for signing", ErrNotAllowed, named)
	}
	_, _, err := openpgp.VerifyDetachedSignature(one, bytes.NewReader(payload), bytes.NewReader(packets), &packet.Config{Time: func() time.Time { return now }})
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked), err == nil && isRevoked(key):
		return Signature{}, fmt.Errorf("%w: %s", ErrRevoked, named)
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return Signature{}, fmt.Errorf("%w: %s%s", ErrExpired, named, since(key))
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return Signature{}, fmt.Errorf("%w: the signature by %s, of %s, is not valid now", ErrExpired, named, day(sig.CreationTime))
	case err != nil:
		return Signature{}, fmt.Errorf("%w: not by %s, or changed since", ErrBad, named)
	case sig.CreationTime.Before(key.PublicKey.CreationTime):
		return Signature{}, fmt.Errorf("%w: older than %s", ErrBad, named)
	}
	return Signature{
		Kind: "openpgp", By: who, Fingerprint: fmt.Sprintf("%X", key.PublicKey.Fingerprint), When: sig.CreationTime.UTC(),
	}, nil
}

// isRevoked counts every revocation, as gpg does, whenever and for whatever reason it was made.
func isRevoked(key openpgp.Key) bool {
	return len(key.Revocations) > 0 || len(key.Entity.Revocations) > 0
}

const minRSA = 2048

// strength says what is too weak about a key or the digest it has signed.
func strength(key openpgp.Key, sig *packet.Signature) error {
	switch sig.Hash {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512:
	default:
		return fmt.Errorf("digest %s", sig.Hash)
	}
	if key.PublicKey.PubKeyAlgo == packet.PubKeyAlgoDSA {
		return errors.New("DSA")
	}
	if public, is := key.PublicKey.PublicKey.(*rsa.PublicKey); is && public.N.BitLen() < minRSA {
		return fmt.Errorf("RSA of %d bits", public.N.BitLen())
	}
	return nil
}

// owner is the primary user id of a key, fit to print.
func owner(key openpgp.Key) string {
	if id := key.Entity.PrimaryIdentity(); id != nil {
		return repository.Printable(id.Name)
	}
	return ""
}

// since says when a key, or the primary key of a subkey, has expired.
func since(key openpgp.Key) string {
	var when []string
	add := func(made time.Time, sig *packet.Signature) {
		if sig != nil && sig.KeyLifetimeSecs != nil && *sig.KeyLifetimeSecs > 0 {
			when = append(when, day(made.Add(time.Duration(*sig.KeyLifetimeSecs)*time.Second)))
		}
	}
	add(key.PublicKey.CreationTime, key.SelfSignature)
	if self, _ := key.Entity.PrimarySelfSignature(); self != nil && len(when) == 0 {
		add(key.Entity.PrimaryKey.CreationTime, self)
	}
	if len(when) == 0 {
		return ""
	}
	return ", valid until " + when[0]
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// issuer names the key of a signature as well as the signature does.
func issuer(sig *packet.Signature) string {
	if len(sig.IssuerFingerprint) > 0 {
		return fmt.Sprintf("OpenPGP key %X", sig.IssuerFingerprint)
	}
	return fmt.Sprintf("OpenPGP key %016X", *sig.IssuerKeyId)
}
